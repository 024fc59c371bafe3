# Starts or restarts a program under supervisord, and waits until `ready` succeeds.
# $1: program; $2: its log; $3: seconds; $PIDFILE: supervisord's; the functions `ready`, and `diagnose` for a failure.
# They see $began, the moment before the start, as Kubernetes writes times.
#
# supervisorctl is a Python program of about 200 ms, and its `start` blocks for startsecs although the program may
# answer long before: it is called as seldom as can be, and what may block is not waited for, but the program's own
# endpoint is. A program that is not wanted back (BACKOFF, FATAL) ends the wait at once. /proc says which process is
# the program: one that still runs as it was asked to stop must not be taken for the new one. An older unit file may not
# have said killasgroup: then only a shell ends, and what it had started keeps the ports and answers in the new one's
# place. It is ended as well.
set -u
program=$1
log=$2
pid() {
  supervisord=$(cat "$PIDFILE" 2>/dev/null)
  # shellcheck disable=SC2013  # words, not lines
  for child in $(cat "/proc/$supervisord/task/$supervisord/children" 2>/dev/null); do
    ! grep -zqx "SUPERVISOR_PROCESS_NAME=$program" "/proc/$child/environ" 2>/dev/null || echo "$child"
  done
}
fail() {
  { printf '%s; its last lines:\n' "$1"; tail -n 15 "$log" 2>/dev/null; diagnose; } >&2
  exit 1
}
left() {  # whether processes of the old program's group outlived its first one; they are ended too
  [ -n "$before" ] && [ ! -e "/proc/$before" ] && kill -s $signal -- "-$before" 2>/dev/null && n=0
}
signal=TERM
before=$(pid)
began=$(date -u +%Y-%m-%dT%H:%M:%SZ)
export began
answer=$(printf 'reread\nupdate %s\n' "$program" | supervisorctl)
starter=
case $answer in
*ERROR*|*"no such file"*|*"refused connection"*) printf '%s\n' "$answer" >&2; exit 1 ;;
*": added process group"*|*": updated process group"*) ;;
*) printf 'stop %s\nstart %s\n' "$program" "$program" | supervisorctl >/dev/null 2>&1 & starter=$! ;;
esac
n=0
state=
kill_after=$(($(date +%s) + 10))
deadline=$(($(date +%s) + $3))
until now=$(pid); ! left && [ -n "$now" ] && [ "$now" != "$before" ] && ready >/dev/null 2>&1; do
  [ "$(date +%s)" -lt $kill_after ] || signal=KILL
  [ "$(date +%s)" -lt $deadline ] || fail "$program was not ready within $3 s"
  n=$((n+1))
  [ $((n % 10)) -ne 0 ] || state=$(supervisorctl status "$program" | tr -s ' ')
  case $state in *FATAL*|*BACKOFF*) fail "supervisor gave up on $program ($state)" ;; esac
  sleep 0.2
done
[ -z "$starter" ] || kill $starter 2>/dev/null || :
