# Makes nginx read the set in the working directory, and fails unless the new configuration runs.
# SERVICE, PIDFILE, ERROR_LOG: nginx's own. ANSWER: where the set says which it is ('' for nowhere), by its file RELEASE.
# Requires serves.sh, make_room.sh.
set -u
master=$(cat "$PIDFILE" 2>/dev/null)
log_size=$(wc -c <"$ERROR_LOG" 2>/dev/null || echo 0)
this_set_answers() {  # an older set, or a file of another origin, has no such number
  [ -n "$ANSWER" ] || return 0
  ! grep -qsF "site/$RELEASE" nginx.conf || [ "$(curl -s -m 1 "http://$ANSWER/")" = "$(basename "$(readlink site)")" ]
}
children() { cat "/proc/$master/task/$master/children"; }
new_emergencies() { tail -c +$((log_size + 1)) "$ERROR_LOG" | grep -F '[emerg]'; }

if ! serves "$SERVICE"; then
  [ ! -e "$ROOM_GIVEN_BACK" ] || exit 0
  systemctl stop "$SERVICE"  # what ends since an earlier change has its time before the other one closes its ports
  make_room
  systemctl restart "$SERVICE" || { give_back; journalctl -u "$SERVICE" -n 10 --no-pager -o cat >&2; exit 1; }
  this_set_answers || { sleep 1; this_set_answers; } && exit 0
  echo "nginx was started, but $ANSWER is not answered by this set" >&2
  exit 1
fi

workers=" $(children) "
nginx -s reload || exit 1
reloaded() {  # a new worker serves, and no old one accepts connections any more
  for worker in $workers; do
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$worker/cmdline") in ''|*'is shutting down'*) ;; *) return 1 ;; esac
  done
  for worker in $(children); do
    case $workers in *" $worker "*) ;; *) return 0 ;; esac
  done
  return 1
}
took=
n=80
while [ $n -gt 0 ]; do
  n=$((n - 1))
  # it tries a taken port five times within 2.5 s and may get it: only 'still could not bind()' is its last word
  ! new_emergencies | grep -qvF 'bind() to' || break
  ! reloaded || { took=yes; ! this_set_answers || exit 0; }
  sleep 0.1
done
[ -z "$took" ] || { echo "nginx took the new configuration, but $ANSWER is not answered by this set" >&2; exit 1; }
echo "nginx did not take the new configuration:" >&2
new_emergencies | tail -n 5 >&2
exit 1
