# Prints the beginning of each file, then a line of $MARK and how reading it ended.
# $1, $2, ...: bytes and path, in turn
while [ $# -gt 0 ]; do
  head -c "$1" "$2" 2>/dev/null
  printf '\n%s %s\n' "$MARK" $?
  shift 2
done
