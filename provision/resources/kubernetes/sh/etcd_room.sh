# Makes room in etcd after it ran full: the past of every object is dropped (compact), each member's database shrunk, one
# after the other because a member stands still meanwhile (defrag), and the alarm that refuses writes taken back.
# $QUOTA: bytes that a database may have; "$@": members' client URLs. Requires etcd_ask.sh.
# See https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota
set -eu
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
revision=$(ctl "$1" --command-timeout=60s endpoint status -w json | number revision)
ctl "$1" --command-timeout=60s compact "$revision" >&2 || :  # it may have been compacted up to there
for member in "$@"; do
  ctl "$member" --command-timeout=60s defrag >&2
  size=$(ctl "$member" --command-timeout=60s endpoint status -w json | number dbSize)
  if [ "$size" -ge "$QUOTA" ]; then
    echo "etcd's database at $member has $size bytes of objects that exist now, and etcd.quota is $QUOTA:" \
      "set etcd.quota to more, or delete objects (the alarm NOSPACE stays, reads go on)" >&2
    exit 1
  fi
done
ctl "$1" --command-timeout=60s alarm disarm >&2
