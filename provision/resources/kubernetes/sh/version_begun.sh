# Records in the stamp $1 that the step to $VERSION is under way, for as long as the unit's file is the one that it is now.
mkdir -p "${1%/*}"
printf '%s %s\n' "$VERSION" "$(find "$UNIT" -maxdepth 0 -printf '%s %T@ %C@ %i')" >"$1"
