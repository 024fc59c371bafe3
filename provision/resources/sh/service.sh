# Enables or disables a systemd unit, then starts, restarts, reloads or stops it; waits until `ready` succeeds.
# $1: unit; $2: enable or disable; $3: start, restart, reload-or-restart or stop; $4: seconds; the function `ready`
set -u
systemctl daemon-reload
systemctl unmask -q "$1"
systemctl "$2" -q "$1"
last_lines() { journalctl -u "$1" -n 15 --no-pager -o cat >&2; }
systemctl "$3" "$1" || { [ "$3" = stop ] || last_lines "$1"; exit 1; }
# one that was killed because its time to stop was over has stopped
[ "$3" != stop ] || systemctl reset-failed "$1" 2>/dev/null || :
n=$(($4 * 5))
[ "$3" = stop ] || until ready >/dev/null 2>&1; do
  n=$((n-1))
  [ $n -gt 0 ] || { echo "$1 was not ready within $4 s; its last lines:" >&2; last_lines "$1"; exit 1; }
  sleep 0.2
done
