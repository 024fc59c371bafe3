# Saves a snapshot of etcd to $FILE, from the first of the members ("$@", their URLs) that gives one; of the snapshots in
# that folder the youngest $KEPT stay. $CERT: folder with ca.pem, and $PAIR.pem and $PAIR-key.pem, a client's.
mkdir -p "${FILE%/*}"
chmod 0700 "${FILE%/*}"
saved=
for member in "$@"; do
  said=$(umask 077; ETCDCTL_API=3 etcdctl --endpoints="$member" --command-timeout=60s --cacert="$CERT/ca.pem" \
    --cert="$CERT/$PAIR.pem" --key="$CERT/$PAIR-key.pem" snapshot save "$FILE.new" 2>&1) && { saved=$member; break; }
done
[ -n "$saved" ] || { echo "no snapshot of etcd could be taken: $said" >&2; exit 1; }
mv -f "$FILE.new" "$FILE"
# the youngest $KEPT of the folder stay
find "${FILE%/*}" -maxdepth 1 -name '*.db' -printf '%T@ %p\n' | sort -rn | tail -n "+$((KEPT + 1))" |
  cut -d ' ' -f 2- | while IFS= read -r old; do rm -f "$old"; done
