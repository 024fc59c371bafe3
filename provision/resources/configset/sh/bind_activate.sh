# Makes BIND read the set in the working directory, and fails unless it serves every zone with the set's serial.
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
