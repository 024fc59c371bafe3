# Saves a snapshot of the member at $URL to $FILE, for root only. Prints its size and SHA-256, then as JSON etcd's own
# hash, revision and number of keys. $CERT: folder with ca.pem, etcd-peer.pem, etcd-peer-key.pem.
set -eu
umask 077
mkdir -p "${FILE%/*}"
export ETCDCTL_API=3
etcdctl --endpoints="$URL" --dial-timeout=5s --command-timeout=120s --cacert="$CERT/ca.pem" \
  --cert="$CERT/etcd-peer.pem" --key="$CERT/etcd-peer-key.pem" snapshot save "$FILE" >&2
stat -c %s "$FILE"
sha256sum "$FILE" | cut -d ' ' -f 1
if command -v etcdutl >/dev/null; then etcdutl snapshot status "$FILE" -w json; else etcdctl snapshot status "$FILE" -w json; fi
