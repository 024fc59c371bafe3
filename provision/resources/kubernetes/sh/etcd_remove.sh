# Removes members of etcd, one after the other; "$@": their URLs for peers. The function `snapshot` saves what there is.
# $URL: a member's URL for clients. Requires etcd_ask.sh.
#
# etcd itself refuses to remove one while the others would be no quorum, and for 5 s after any of them came or went.
set -u
snapshot || exit 1
for peer in "$@"; do
  end=$(($(date +%s) + 60))
  while id=$(ctl "$URL" --command-timeout=10s member list | awk -F', ' -v url="$peer" '$4 == url { print $1 }') && [ -n "$id" ]; do
    said=$(ctl "$URL" --command-timeout=10s member remove "$id" 2>&1) && break
    [ "$(date +%s)" -lt $end ] || { echo "etcd does not remove the member at $peer: $said" >&2; exit 1; }
    sleep 1
  done
done
