# Takes part again: this host takes the address when it has to. It waits until it could, at most $SECONDS_ALLOWED. Where
# keepalived does not run, nothing was given away.
[ "$(handed_over)" != 0 ] || exit 0
hand_over 0
[ "$(state)" != STOPPED ] || exit 0
end=$(($(date +%s) + SECONDS_ALLOWED))
until ready; do
  [ "$(date +%s)" -lt $end ] || { echo "this host can't take $ADDRESS: keepalived is in state $(state)" >&2; exit 1; }
  sleep 0.1
done
