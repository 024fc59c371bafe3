# Waits until `count_connections` prints 0, at most SECONDS_ALLOWED.
n=$((SECONDS_ALLOWED * 5))
while [ "$(count_connections)" -gt 0 ] && [ $n -gt 0 ]; do
  n=$((n - 1))
  sleep 0.2
done
