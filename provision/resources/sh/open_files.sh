# Prints the hard limit of open files of the process in PIDFILE; where none runs, what systemd gives its services.
limit() { awk '/^Max open files/ { print $5 }' "/proc/$1/limits" 2>/dev/null; }
pid=$(cat "$PIDFILE" 2>/dev/null)
found=$([ -z "$pid" ] || limit "$pid")
[ -n "$found" ] || found=$(limit 1)
echo "$found"
