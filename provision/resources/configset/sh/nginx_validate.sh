# Validates the tree in $STAGED with nginx -t. A conflicting server name is only a [warn], yet the second server never answers.
found=$(nginx -t -c "$STAGED/nginx.conf" 2>&1) || { printf '%s\n' "$found" >&2; exit 1; }
case $found in *"conflicting server name"*) printf '%s\n' "$found" >&2; exit 1 ;; esac
