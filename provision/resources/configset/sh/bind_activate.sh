# Makes BIND read the set in the working directory, and fails unless it serves every zone with the set's serial, and
# unless the names of others that it can find pass its check of their signatures. $FOREIGN: '' where it is not asked.
set -u
last_lines() { journalctl -u "$SERVICE" -n 10 --no-pager -o cat >&2; }
if systemctl is-active -q "$SERVICE"; then rndc reload >/dev/null || exit 1
else systemctl restart "$SERVICE" || { last_lines; exit 1; }; fi
for zone in "$@"; do
  serial=$(sed -n 's/.*(\([0-9]*\) .*/\1/p' "site/zones/$zone.soa")
  n=50
  until rndc zonestatus "$zone" 2>/dev/null | grep -q "^serial: $serial$"; do
    n=$((n - 1))
    [ $n -gt 0 ] || { echo "bind does not serve $zone with serial $serial:" >&2; last_lines; exit 1; }
    sleep 0.1
  done
done

[ -n "$FOREIGN" ] || exit 0
ask() { dig +short +time=5 +tries=1 "$@" @127.0.0.1 . SOA 2>/dev/null | grep -q '^[^;]'; }
rndc flushname . >/dev/null # an answer from before this set proves nothing
if ask +cdflag && ! ask +nocdflag; then
  echo "bind finds the names of others but refuses all of them: who it asks does not send their signatures (DNSSEC)." >&2
  echo "$FOREIGN" >&2
  exit 1
fi
