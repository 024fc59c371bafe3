# Adds NAME.soa to the set in $NEW for each zone: its serial in $CURRENT where the zone is the same, else a greater one.
set -eu
for zone in "$@"; do
  serial_now=$(sed -n 's/.*(\([0-9]*\) .*/\1/p' "$CURRENT/zones/$zone.soa" 2>/dev/null) || serial_now=
  if [ -n "$serial_now" ] && cmp -s "$CURRENT/zones/$zone.zone" "$NEW/zones/$zone.zone"; then
    serial=$serial_now
  else
    serial=$(date -u +%Y%m%d01)
    [ "$serial" -gt "${serial_now:-0}" ] || serial=$((serial_now + 1))
  fi
  echo "@ IN SOA dns dnsadmin ($serial 10800 900 604800 $TTL)" >"$NEW/zones/$zone.soa"
done
