# Waits until the node at this address answers 200, at most SECONDS_ALLOWED; else prints its status and fails.
# Requires status.sh.
n=$((SECONDS_ALLOWED * 4))
until [ "$(status "$1")" = 200 ]; do
  n=$((n - 1))
  [ $n -gt 0 ] || { status "$1"; exit 1; }
  sleep 0.25
done
