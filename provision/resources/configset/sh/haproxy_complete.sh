# Adds to the set in $NEW the file RELEASE that says what it is made of, and the folder USERS with a link to each file
# that USERS_LIST names. Requires haproxy_digest.sh.
mkdir -p "$NEW/$USERS"
[ ! -e "$NEW/$USERS_LIST" ] || while read -r path; do
  ln -sf "$path" "$NEW/$USERS/$(basename "$(dirname "$path")").cfg"  # HAProxy takes files of this suffix alone
done <"$NEW/$USERS_LIST"
printf '%s' "$(digest "$NEW")" >"$NEW/$RELEASE"
