# Gives the address away and fails unless another host answers at it then. Connections that are open now get $WAIT
# seconds to end before, but for those to port $LASTING; this host takes the address back when nobody else does.
set -u
connections() { ss -Htn state established "( src $ADDRESS and sport != :$LASTING )" | awk '{ print $3, $4 }' | sort; }
if holds; then
  open=$(connections)
  end=$(($(date +%s) + WAIT))
  while [ -n "$open" ] && [ "$(date +%s)" -lt $end ]; do
    sleep 0.2
    now=$(connections)
    open=$(printf '%s\n' "$open" | while read -r one; do case $now in *"$one"*) printf '%s\n' "$one" ;; esac; done)
  done
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
