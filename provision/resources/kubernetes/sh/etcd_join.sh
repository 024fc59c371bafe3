# Makes this host a member of the cluster of etcd that its fellows have, or one of those that begin a cluster.
# $NAME, $URL: the member's name, and its URL for peers; $CLUSTER: NAME=URL,… of all declared members; $DATA: its folder;
# $CERT: ca.pem, etcd-peer.pem, etcd-peer-key.pem; $FIRST: the file that it reads when it starts without data; $LEARNER:
# the file that says that it may not vote yet; the function `snapshot` saves what there is; "$@": the others' URLs for
# clients. Requires etcd_ask.sh.
#
# What a member that starts without data has to be told (--initial-cluster-state) depends on the others:
# - nobody answers, or they have not begun either: `new`, with the declared members;
# - they don't know this one: it is added, as a learner, which counts for no quorum until it has all data;
# - they know it, and it has run before: its data is lost. The old one is removed before it is added anew, because a
#   member that has forgotten what it voted for must not vote under the same identity
#   (https://etcd.io/docs/v3.5/op-guide/runtime-configuration/).
# A member that was added has no name until it runs; one that begins a cluster with others has one, but no client URLs.
set -u
fail() { echo "$*" >&2; exit 1; }
field() { printf '%s\n' "$list" | awk -F', ' -v url="$URL" -v n="$1" '$4 == url { print $n }'; }
tell() {  # what it is told at its first start: $1: its members; $2: new, existing
  (umask 022; printf "ETCD_INITIAL_CLUSTER='%s'\nETCD_INITIAL_CLUSTER_STATE='%s'\n" "$1" "$2" >"$FIRST.new")
  mv -f "$FIRST.new" "$FIRST"
}
insist() {  # etcd refuses for a while: only one may learn at a time, and all have to be well since 5 s; $1: what to say
  failed=$1
  shift
  end=$(($(date +%s) + 60))
  until said=$(ctl "$member" --dial-timeout=3s "$@" 2>&1); do
    [ "$(date +%s)" -lt $end ] || fail "$failed: $said"
    sleep 1
  done
}
newer() {  # whether version $1 is of a newer minor than $2
  [ "$(printf '%s\n%s\n' "${1%.*}" "${2%.*}" | sort -V | tail -n 1)" != "${2%.*}" ]
}

listed() {  # the members as they are, as --initial-cluster wants them
  case $list in *"'"*) fail "a member's name has a quote in it: $list" ;; esac
  printf '%s\n' "$list" | awk -F', ' -v url="$URL" -v name="$NAME" \
    '{ printf "%s%s=%s", comma, $4 == url ? name : $3, $4; comma = "," }'
}

member=
for each in "$@"; do
  member=$each
  list=$(ctl "$member" --dial-timeout=3s --command-timeout=3s member list 2>/dev/null) && [ -n "$list" ] && break
  member=
done
if [ -z "$member" ]; then
  [ ! -e "$DATA/member" ] || fail "no other member answers, and the one that has its data in $DATA was removed"
  tell "$CLUSTER" new
  exit 0
fi
if [ -n "$(field 3)" ] && [ -z "$(field 5)" ]; then
  tell "$(listed)" new
  exit 0
fi

mine=$(etcd --version | awk '/^etcd Version:/ { print $3 }')
theirs=$(ask "$member/version" | sed -n 's/.*"etcdcluster":"\([^"]*\)".*/\1/p')
! newer "${theirs:-0.0.0}" "$mine" || fail "etcd $mine can't join a cluster of version $theirs: install a newer etcd here (etcd.package)"

snapshot || exit 1
supervisorctl stop "$NAME" >/dev/null 2>&1 || :
id=$(field 1)
if [ -n "$id" ] && [ -n "$(field 3)" ]; then
  insist "etcd does not remove the member $id ($NAME), whose data is gone" member remove "$id"
  id=
fi
if [ -e "$DATA/member" ]; then
  mv "$DATA" "$DATA.removed-$(date -u +%Y%m%dT%H%M%S)"
  install -d -m 0700 -o etcd -g etcd "$DATA"
fi
if [ -z "$id" ]; then
  : >"$LEARNER"
  insist "etcd does not take $NAME as a member" member add "$NAME" --peer-urls="$URL" --learner
fi
list=$(ctl "$member" --dial-timeout=3s member list) || fail "the members can't be listed"
tell "$(listed)" existing
