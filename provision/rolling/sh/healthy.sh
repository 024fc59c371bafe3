# Prints the names of the nodes that answer 200. Arguments: NAME ADDRESS of each. Requires status.sh.
while [ $# -gt 0 ]; do
  [ "$(status "$2")" != 200 ] || printf '%s\n' "$1"
  shift 2
done
