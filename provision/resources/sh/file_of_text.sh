# Writes $CONTENT to a file. Requires atomic.sh.
# $1: path; $2: mode; $3: owner; $4: group
set -eu
beside "$1"
# the shell's own words for a full disk are "I/O error": cat says what it is
printf %s "$CONTENT" 2>/dev/null >"$NEW" || printf %s "$CONTENT" | cat >"$NEW"
install_file "$@"
