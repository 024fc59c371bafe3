# Prints how this host stands to etcd's cluster. First line: `data`, where there is a database; `runs`, where the member
# answers; `full`, where it refuses writes because its database is full. Unless it has and does both, second line: what it is told for its first start, '' if nothing; third: the
# members as JSON, as the first of the others ("$@", client URLs) knows them.
# $DATA: the member's folder; $CERT: folder with ca.pem, etcd-peer.pem, etcd-peer-key.pem; $LOCAL: where the
# member answers /health; $FIRST: the file that it reads when it starts without data.
data=
runs=
# shellcheck disable=SC2153  # two names
[ ! -d "$DATA/member" ] || data=data
full=
health=$(curl -s -m 2 "$LOCAL/health") && runs=runs
case $health in
*'"false"'*) ! curl -fs -m 2 "$LOCAL/health?exclude=NOSPACE" >/dev/null || full=full ;;
esac
echo "$data $runs $full"
[ -z "$data" ] || [ -z "$runs" ] || exit 0
sed -n "s/^ETCD_INITIAL_CLUSTER='\(.*\)'$/\1/p" "$FIRST" 2>/dev/null | grep . || echo
[ -r "$CERT/etcd-peer.pem" ] || exit 0
for member in "$@"; do
  curl -fs -m 3 --cacert "$CERT/ca.pem" --cert "$CERT/etcd-peer.pem" --key "$CERT/etcd-peer-key.pem" \
    -X POST -d '{}' "$member/v3/cluster/member/list" && exit 0
done
exit 0
