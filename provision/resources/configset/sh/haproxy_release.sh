# Adds to the set in $NEW the file that says what it is made of. Requires haproxy_digest.sh.
printf '%s' "$(digest "$NEW")" >"$NEW/$RELEASE"
