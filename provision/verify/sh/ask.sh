# Runs commands side by side, so that one that waits delays no other, and prints for each in turn its exit code, output
# and errors, the latter two in base64, with commas between.
# $OUTPUT: bytes of output that are kept; $1, $2, ...: seconds and command, in turn
d=$(mktemp -d /run/verify.XXXXXX 2>/dev/null || mktemp -d) && cd "$d" || exit 1
count=0
while [ $# -gt 0 ]; do
  (timeout "$1" sh -c "$2" >$count.out 2>$count.err </dev/null; echo $? >$count.code) &
  count=$((count + 1))
  shift 2
done
wait
n=0
while [ $n -lt $count ]; do
  echo "$(cat $n.code),$(head -c "$OUTPUT" $n.out | base64 -w0),$(head -c 4096 $n.err | base64 -w0)"
  n=$((n + 1))
done
cd /
rm -rf "$d"
