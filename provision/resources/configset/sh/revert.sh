# Puts the previous set of DIRECTORY back: run by the host itself when nobody has confirmed the new one in time.
# NAMES, REMOVED, OLD, STAMPED, ID: what swap.sh knew, which writes them before this script. Requires links.sh and activate_set.
cd "$DIRECTORY" || exit 1
restore_release "$OLD" "$NAMES" "$REMOVED"
activate_set >/dev/null 2>&1
# the previous set's stamp comes back too: that is what runs
[ -z "$STAMPED" ] || { mkdir -p "$(dirname "$STAMP")"; printf '%s\n' "$STAMPED" >"$STAMP"; }
rm -rf "releases/$ID" "$REVERT_FILE.going"
