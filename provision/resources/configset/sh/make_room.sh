# Functions for taking ports over from the program of the unit OTHER ('': there is none). $staged: swap.sh's folder.
# Requires serves.sh.
SOFT_STOP=/run/systemd/system/haproxy.service.d/soft-stop.conf  # its next start takes it away
ROOM_GIVEN_BACK=${staged:-/nowhere}/room-given-back

make_room() {  # it closes its ports, and what it has begun gets 5 s
  [ -n "$OTHER" ] && serves "$OTHER" || return 0
  case $OTHER in
    nginx) kill -QUIT "$(cat /run/nginx.pid)" ;;
    haproxy)  # systemd starts it anew whenever it ends by itself, and SIGTERM cuts connections
      mkdir -p "$(dirname "$SOFT_STOP")"
      # shellcheck disable=SC2016 # systemd's variable
      printf '[Service]\nExecStop=-/bin/sh -c "kill -USR1 $MAINPID; timeout 5 tail --pid=$MAINPID -f /dev/null"\n' \
        >"$SOFT_STOP"
      systemctl daemon-reload
      systemctl stop --no-block haproxy ;;
  esac
  made_room=yes
  n=100
  while [ $n -gt 0 ] && listens "$OTHER"; do n=$((n - 1)); sleep 0.02; done
}
give_back() {  # this program does not serve: the other one does again
  [ -n "${made_room-}" ] || return 0
  systemctl restart "$OTHER"  # waits until it has ended
  : >"$ROOM_GIVEN_BACK"  # swap.sh activates the set before this one next
}
