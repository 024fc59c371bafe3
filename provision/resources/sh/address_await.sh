# Waits until this host holds the address or stands by, and some host holds it; at most $SECONDS_ALLOWED.
end=$(($(date +%s) + SECONDS_ALLOWED))
until { [ "$(handed_over)" != 0 ] || ready; } && answers; do
  if [ "$(date +%s)" -ge $end ]; then
    case $(state) in
      FAULT) echo "keepalived is in state FAULT: its check of this host's own edge fails, or its interface is down" >&2 ;;
      *) answers || echo "no host answers at $ADDRESS; keepalived of this one is in state $(state)" >&2 ;;
    esac
    journalctl -u keepalived -n 5 --no-pager -o cat >&2
    exit 1
  fi
  sleep 0.2
done
