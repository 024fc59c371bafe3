# Prints the members of etcd as JSON, as this host's own knows them; nothing where it does not answer.
# $URL: its URL for clients; $CERT: ca.pem, etcd-peer.pem, etcd-peer-key.pem
[ -r "$CERT/etcd-peer.pem" ] || exit 0
curl -fs -m 3 --cacert "$CERT/ca.pem" --cert "$CERT/etcd-peer.pem" --key "$CERT/etcd-peer-key.pem" \
  -X POST -d '{}' "$URL/v3/cluster/member/list" || :
