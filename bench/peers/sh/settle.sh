# Waits until all programs run by what supervisorctl says.
# $1, $2, ...: their names
for _ in 1 2 3 4 5 6 7 8 9 10; do
  ! supervisorctl status "$@" >/dev/null || exit 0
  sleep 1
done
supervisorctl status >&2
exit 1
