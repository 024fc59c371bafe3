# Saves a snapshot of etcd to $FILE, from the first of the members ("$@", their URLs) that gives one.
mkdir -p "${FILE%/*}"
chmod 0700 "${FILE%/*}"
saved=
for member in "$@"; do
  said=$(umask 077; ETCDCTL_API=3 etcdctl --endpoints="$member" --command-timeout=60s --cacert="$CERT/ca.pem" \
    --cert="$CERT/client.pem" --key="$CERT/client-key.pem" snapshot save "$FILE.new" 2>&1) && { saved=$member; break; }
done
[ -n "$saved" ] || { echo "no snapshot of etcd could be taken: $said" >&2; exit 1; }
mv -f "$FILE.new" "$FILE"
