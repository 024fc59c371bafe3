# Prints the beginning of each file in base64, a line each.
# $1, $2, ...: bytes and path, in turn
while [ $# -gt 0 ]; do
  printf '%s\n' "$(head -c "$1" "$2" 2>/dev/null | base64 -w0)"
  shift 2
done
