# Writes standard input to a file. Requires atomic.sh.
# $1: path; $2: mode; $3: owner; $4: group
set -eu
beside "$1"
cat >"$NEW"
install_file "$@"
