# Functions that ask members of etcd, by the certificate of the member on this host.
# $CERT: ca.pem, etcd-peer.pem, etcd-peer-key.pem
ctl() {  # ctl URL[,URL...] COMMAND...
  urls=$1
  shift
  ETCDCTL_API=3 etcdctl --endpoints="$urls" --cacert="$CERT/ca.pem" --cert="$CERT/etcd-peer.pem" \
    --key="$CERT/etcd-peer-key.pem" "$@"
}
ask() {
  curl -fs -m 3 --cacert "$CERT/ca.pem" --cert "$CERT/etcd-peer.pem" --key "$CERT/etcd-peer-key.pem" "$@"
}
list_members() { ask -X POST -d '{}' "$1/v3/cluster/member/list"; }  # as JSON
