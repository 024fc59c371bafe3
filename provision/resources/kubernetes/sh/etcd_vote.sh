# Gives this host's member of etcd its vote, once it has all data, and removes what it was told for its first start.
# $LEARNER: the file that says that it has no vote yet; $FIRST: what it was told.
# $TIMEOUT: seconds; $URL: its URL for peers; "$@": the others' URLs for clients, none for the only member, which has a
# vote from its start. Requires etcd_ask.sh.
set -u
members=$(IFS=,; echo "$*")
end=$(($(date +%s) + TIMEOUT))
while [ $# -gt 0 ]; do
  own=$(ctl "$members" --command-timeout=10s member list 2>&1 | awk -F', ' -v url="$URL" '$4 == url { print $1, $6 }')
  case $own in
    *" false") break ;;  # it votes
    *" true") said=$(ctl "$members" --command-timeout=10s member promote "${own% *}" 2>&1) && break ;;
    *) said="the others do not list it: $own" ;;
  esac
  [ "$(date +%s)" -lt $end ] || { echo "the member can't vote yet: $said" >&2; exit 1; }
  sleep 0.5
done
rm -f "$LEARNER" "$FIRST"
