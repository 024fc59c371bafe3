# Validates the tree in $STAGED with keepalived -t; it prints what it finds on stderr.
find . -type f -exec sed -i "s|/etc/keepalived/|$STAGED/|g" {} + || exit 1
found=$(keepalived -t -f "$STAGED/keepalived.conf" 2>&1) || { printf '%s\n' "$found" >&2; exit 1; }
