# Confirms the new set; fails when the host has put the previous one back already. One rename decides.
mv -f "$REVERT_FILE" "$REVERT_FILE.kept" 2>/dev/null || {
  echo "the change was not confirmed within $CONFIRM s: the previous set is in place again" >&2
  exit 1
}
rm -f "$REVERT_FILE.kept"
