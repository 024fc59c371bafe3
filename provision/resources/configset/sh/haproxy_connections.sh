# Prints how many connections to ADDRESS:PORT ($1) are in use: those that HAProxy keeps idle carry nothing.
established=$(ss -Htn state established dst "$1" | wc -l)
idle=$(echo 'show servers conn' | socat - "UNIX-CONNECT:$SOCKET" 2>/dev/null |
  awk -v at="$1" '$3 ":" $4 == at { n += $13 } END { print n + 0 }')
[ "$established" -lt "$idle" ] || { echo $((established - idle)); exit 0; }
echo 0
