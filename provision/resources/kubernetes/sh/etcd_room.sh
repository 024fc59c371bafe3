# Makes room in etcd after it ran full: the past of every object is dropped (compact), each member's database shrunk, one
# after the other because a member stands still meanwhile (defrag), and the alarm that refuses writes taken back.
# $CERT: ca.pem, etcd-peer.pem, etcd-peer-key.pem; $QUOTA: bytes that a database may have; "$@": members' client URLs.
# See https://etcd.io/docs/v3.5/op-guide/maintenance/#space-quota
set -eu
ctl() {
  ETCDCTL_API=3 etcdctl --command-timeout=60s --cacert="$CERT/ca.pem" --cert="$CERT/etcd-peer.pem" \
    --key="$CERT/etcd-peer-key.pem" "$@"
}
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
revision=$(ctl --endpoints="$1" endpoint status -w json | number revision)
ctl --endpoints="$1" compact "$revision" >&2 || :  # it may have been compacted up to there
for member in "$@"; do
  ctl --endpoints="$member" defrag >&2
  size=$(ctl --endpoints="$member" endpoint status -w json | number dbSize)
  if [ "$size" -ge "$QUOTA" ]; then
    echo "etcd's database at $member has $size bytes of objects that exist now, and etcd.quota is $QUOTA:" \
      "set etcd.quota to more, or delete objects (the alarm NOSPACE stays, reads go on)" >&2
    exit 1
  fi
done
ctl --endpoints="$1" alarm disarm >&2
