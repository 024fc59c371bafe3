# Prints how this host stands to etcd's cluster. First line: `data`, where there is a database; `runs`, where the member
# answers; `full`, where it refuses writes because its database is full. Unless there are data and an answer, second
# line: what it is told for its first start, '' if nothing; third: the members as JSON, as the first of the others ("$@",
# client URLs) knows them.
# $DATA: the member's folder; $LOCAL: where the member answers /health; $FIRST: the file that it reads when it starts
# without data. Requires etcd_ask.sh.
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
  list_members "$member" && exit 0
done
exit 0
