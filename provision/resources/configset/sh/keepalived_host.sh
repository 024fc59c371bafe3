# Adds to the set in $NEW what only the host knows: the interface that has the address $OWN, and the set's own name.
set -eu
link=$(ip -o -4 addr show to "$OWN/32" | { read -r _ link _ && printf '%s' "${link%@*}"; }) || link=
[ -n "$link" ] || { echo "no interface of this host has its address $OWN" >&2; exit 1; }
# shellcheck disable=SC2016 # the names are keepalived's
printf '$LINK=%s\n$RELEASE=%s\n' "$link" "$(basename "$NEW")" >"$NEW/$HOST_FILE"
