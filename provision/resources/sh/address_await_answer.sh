# Waits until some host answers at the address, at most $SECONDS_ALLOWED. $DO: what to do when none does.
end=$(($(date +%s) + SECONDS_ALLOWED))
until answers; do
  [ "$(date +%s)" -lt $end ] || { echo "no host answers at $ADDRESS, so nothing is led there. $DO" >&2; exit 1; }
  sleep 0.2
done
