# Functions about $ADDRESS, which several hosts share. $HANDOVER, $STATE: the files of this host's keepalived.

holds() { ip -o -4 addr show to "$ADDRESS/32" | grep -q .; }
answers() { curl -s -o /dev/null --connect-timeout 1 -m 3 "http://$ADDRESS/"; } # whoever holds it
state() { # what keepalived is
  if ! systemctl is-active -q keepalived; then echo STOPPED; else cat "$STATE" 2>/dev/null || echo STARTING; fi
}
ready() { case $(state) in MASTER | BACKUP) ;; *) return 1 ;; esac; }
handed_over() { grep . "$HANDOVER" 2>/dev/null || echo 0; }
hand_over() { printf '%s\n' "$1" >"$HANDOVER"; } # in place: keepalived watches this file. 1: gives it away, 0: takes part
