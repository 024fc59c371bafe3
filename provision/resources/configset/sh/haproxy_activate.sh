# Makes HAProxy run with the set in the working directory, and fails unless it does. Requires haproxy_digest.sh,
# haproxy_servers.sh, serves.sh, make_room.sh. SERVICE, PIDFILE: of its unit. ANSWER: where it says what it was loaded
# from, by the file RELEASE. USERS: the folder that its unit has it read beside MAIN. $old: the set before this one,
# where there was one.
set -u
[ ! -e "$ROOM_GIVEN_BACK" ] || exit 0
this_set=$(digest site)
loaded() { [ "$(curl -s -m 1 "http://$ANSWER/")" = "$this_set" ]; }
alerts() {  # what is wrong with the configuration; that all servers of a backend are down is none of that
  journalctl -u "$SERVICE" --since "@$began" -o cat --no-pager 2>/dev/null | grep -F '[ALERT]' | grep -vF 'no server available'
}
foreign_ports() {  # prints those that other programs have: while HAProxy tries to get one it listens on none
  sed -n 's/^ *bind [^ ]*:\([0-9]*\).*/\1/p' "$MAIN" | sort -u | while read -r port; do
    ss -Hltnp "sport = :$port" | grep -v -e '"haproxy"' -e "\"${OTHER:-haproxy}\"" |
      sed "s/.*users:((\"\([^\"]*\).*/port $port is taken by \1/"
  done
}
reads_users() {  # the processes of a master have its arguments for life
  tr '\0' '\n' <"/proc/$(cat "$PIDFILE")/cmdline" | grep -qxF "$USERS"
}
is_ours() { grep -qsF "site/$RELEASE" "$MAIN"; }

if systemctl is-active -q "$SERVICE"; then
  # a drain: what the process was loaded from is the same, so it need not read it anew
  if [ -n "${old-}" ] && loaded && [ "$(digest "releases/$old")" = "$this_set" ]; then
    apply_servers
    exit
  fi
  ! is_ours || keep_checks "$STATE_FILE"
  verb=reload
fi
if is_ours && { [ -z "${verb-}" ] || ! reads_users; }; then
  verb=restart
  systemctl stop "$SERVICE"  # what ends since an earlier change has its time before the other one closes its ports
  rm -f "$SOFT_STOP" && systemctl daemon-reload
elif [ -z "${verb-}" ]; then
  exit 0  # what Debian, or somebody, has left here is nobody's to start
fi
began=$(date +%s)
taken=$(foreign_ports)
[ -z "$taken" ] || { printf '%s\n' "$taken" >&2; exit 1; }
! is_ours || make_room
case $verb in
  reload) kill -USR2 "$(cat "$PIDFILE")" ;;  # as its unit does, which validates once more before
  restart) systemctl restart "$SERVICE" ;;
esac || { give_back; journalctl -u "$SERVICE" -n 10 --no-pager -o cat >&2; exit 1; }
is_ours || exit 0
n=160
until loaded; do
  n=$((n - 1))
  if [ $n -eq 0 ] || alerts >/dev/null; then
    echo "HAProxy did not take the new configuration:" >&2
    alerts | tail -n 5 >&2
    give_back
    exit 1
  fi
  sleep 0.05
done
apply_servers
