# Refuses what stops this host's member of etcd while the members would no longer have a quorum without it.
# $LOCAL: where it answers without a certificate; "$@": the others' URLs for clients. Requires etcd_ask.sh.
#
# A member whose database is full counts: it takes part, though it takes nothing new.
# Nothing is lost where this member does not answer, where the quorum is lost already, and where there are but two:
# one of two can't be stopped without an outage, whatever one waits for.
well() { ask "$1/health?exclude=NOSPACE" 2>/dev/null | grep -q '"health":"true"'; }
members=$(($# + 1))
[ "$members" -gt 2 ] || exit 0
well "$LOCAL" || exit 0
healthy=0
silent=
for member in "$@"; do
  if well "$member"; then healthy=$((healthy + 1)); else silent="$silent ${member#https://}"; fi
done
quorum=$((members / 2 + 1))
[ $healthy -lt $quorum ] || exit 0
echo "etcd's member here was not restarted: of the other $((members - 1)) only $healthy would remain, a quorum is" \
  "$quorum. No answer from:$silent. Start these first (supervisorctl status, and the logs there), then run this again" >&2
exit 1
