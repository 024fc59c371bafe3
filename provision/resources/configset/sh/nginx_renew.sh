# Has the nginx that is installed ($1) take over from the one that runs: both serve the same sockets until the old one has
# answered what it had begun (https://nginx.org/en/docs/control.html#upgrade). $PIDFILE: of the one that serves.
set -u
old=$(cat "$PIDFILE") || exit 1
"$1" -t -q || exit 1
if [ -e "$PIDFILE.oldbin" ]; then
  echo "an older nginx, process $(cat "$PIDFILE.oldbin"), still answers what it had begun, and nginx is renewed once at a" \
    "time: run this again when it has ended, or end it: kill -TERM $(cat "$PIDFILE.oldbin")" >&2
  exit 1
fi
kill -USR2 "$old"
end=$(($(date +%s) + 10))
until [ -s "$PIDFILE.oldbin" ] && new=$(cat "$PIDFILE" 2>/dev/null) && [ "$new" != "$old" ] &&
  grep -q . "/proc/$new/task/$new/children"; do
  [ "$(date +%s)" -lt $end ] || {
    echo "the new nginx does not start, the old one serves on; the last lines of $ERROR_LOG:" >&2
    tail -n 5 "$ERROR_LOG" >&2
    exit 1
  }
  sleep 0.1
done
kill -QUIT "$old"
