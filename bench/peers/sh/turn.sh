# Puts the state of one contestant away and that of another in its place.
# $1: its path; $2: where it is put; $3: where the other's may be
set -e
[ ! -e "$1" ] || mv -T "$1" "$2"
[ ! -e "$3" ] || mv -T "$3" "$1"
