# Validates the tree in $STAGED, the working directory.
found=$("$EXECUTABLE" -c -f "$STAGED/$MAIN" -f "$STAGED/$USERS" 2>&1) || {
  printf '%s\n' "$found" | grep -v '^\[NOTICE\]' >&2
  exit 1
}
