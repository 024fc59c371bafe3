# Prints the members of etcd as JSON, as this host's own knows them; nothing where it does not answer.
# $URL: its URL for clients. Requires etcd_ask.sh.
[ -r "$CERT/etcd-peer.pem" ] || exit 0
list_members "$URL" || :
