# Prints how many processes of older configurations still serve connections that are open.
pid=$(cat "$PIDFILE" 2>/dev/null)
workers=$([ -z "$pid" ] || pgrep -c -P "$pid")
[ "${workers:-0}" -gt 1 ] && echo $((workers - 1)) || echo 0
