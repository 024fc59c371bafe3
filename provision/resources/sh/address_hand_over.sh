# Gives the address away and fails unless another host answers at it then. Connections that are open now get $WAIT
# seconds to end before, but for those to port $LASTING; this host takes the address back when nobody else does.
set -u
connections() { ss -Htn state established "( src $ADDRESS and sport != :$LASTING )" | awk '{ print $3, $4 }' | sort; }
among() { while read -r one; do case $1 in *"$one"*) ;; *) continue ;; esac; printf '%s\n' "$one"; done; } # lines that $1 has
others() { while read -r one; do case $1 in *"$one"*) continue ;; esac; printf '%s\n' "$one"; done; } # and has not

# For a moment no new connection is taken: what has begun ends, and a client repeats its first packet after a second, to
# whoever holds the address then. The kernel ends it after 2 s by itself, whatever becomes of this script.
pause() {
  nft -f - <<END
table ip handover {
  set paused { type ipv4_addr; flags timeout; elements = { $ADDRESS timeout 2s } }
  chain incoming { type filter hook input priority -10; ip daddr @paused tcp flags & (syn | ack) == syn drop; }
}
END
  n=6
  while [ -n "$(connections | others "$open")" ] && [ $n -gt 0 ]; do
    n=$((n - 1))
    sleep 0.1
  done
}

if holds; then
  open=$(connections)
  end=$(($(date +%s) + WAIT))
  while [ -n "$open" ] && [ "$(date +%s)" -lt $end ]; do
    sleep 0.2
    open=$(printf '%s\n' "$open" | among "$(connections)")
  done
  trap 'nft delete table ip handover 2>/dev/null' EXIT
  pause || echo "no connection could be held back (nft)" >&2
fi
hand_over 1
n=50
while holds || ! answers; do
  n=$((n - 1))
  if [ $n -le 0 ]; then
    hand_over 0
    echo "no other host took $ADDRESS, so this one takes it back" >&2
    exit 1
  fi
  sleep 0.1
done
