# Makes keepalived read the set in the working directory, and fails unless it runs it: its tracked script writes the
# set's name to $RUNS, once a second.
set -u
last_lines() { journalctl -u "$SERVICE" -n 10 --no-pager -o cat >&2; }
rm -f "$RUNS"
[ -e keepalived.conf ] || { systemctl stop "$SERVICE"; exit; } # the set before the first one is empty
if systemctl is-active -q "$SERVICE"; then systemctl reload "$SERVICE" || exit 1
else systemctl restart "$SERVICE" || { last_lines; exit 1; }; fi
n=100
until [ "$(cat "$RUNS" 2>/dev/null)" = "$(basename "$(readlink site)")" ]; do
  n=$((n - 1))
  [ $n -gt 0 ] || { echo "keepalived does not run the new configuration:" >&2; last_lines; exit 1; }
  sleep 0.1
done
