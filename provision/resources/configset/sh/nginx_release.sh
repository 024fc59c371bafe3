# Adds to the set in $NEW the server that says which set it is.
printf 'server { listen %s; access_log off; return 200 "%s"; }\n' "$ANSWER" "$(basename "$NEW")" >"$NEW/$RELEASE"
