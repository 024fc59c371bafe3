# Sets mode, owner and group. $1: path; $2: mode; $3: owner; $4: group
set -eu
chown -- "$3:$4" "$1"
chmod "$2" "$1"
