# Validates the tree in $STAGED with named-checkconf. Its paths are absolute: in the staged copy they are made to lead into the copy.
find . -type f -exec sed -i "s|/etc/bind/site/|$STAGED/|g; s|/etc/bind/|$STAGED/|g" {} + || exit 1
found=$(named-checkconf -z "$STAGED/named.conf" 2>&1) || {
  printf '%s\n' "$found" | grep -v 'loaded serial' >&2
  exit 1
}
