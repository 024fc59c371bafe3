# Puts the folder that was made of the snapshot in the place of the member's own, which stays beside it: $DATA.$KEPT.
set -eu
[ -d "$DATA.new" ] || { echo "$DATA.new is gone" >&2; exit 1; }
[ ! -e "$DATA" ] || mv -T "$DATA" "$DATA.$KEPT"
mv -T "$DATA.new" "$DATA"
rm -f "$LEARNER"
