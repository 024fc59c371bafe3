# Opens Nodes to pods again that a run has closed to take them out.
# $1, $2, ...: their names; $TAINT: what that run put on them; the function `k` is kubectl
set -u
for node; do
  k taint node "$node" "$TAINT-" >/dev/null || exit 1
  k uncordon "$node" >/dev/null || exit 1
done
