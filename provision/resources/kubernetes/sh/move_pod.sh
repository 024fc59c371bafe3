# Ends a node's pod of an older template, and returns once its successor is ready. Requires outdated.sh.
# $1: the node; $2: seconds
set -u
moved_by_hand || exit 0
find_template
on="--field-selector=spec.nodeName=$1"
for pod in $(outdated_pods "$on" -o name); do
  k delete "$pod" --wait=true >/dev/null
done
deadline=$(( $(date +%s) + $2 ))
ready() {  # the pod runs and all of its containers are ready: columns NAME READY STATUS
  present_pods "$on" --no-headers | awk '
    $3 == "Running" { split($2, n, "/"); if (n[1] == n[2]) found = 1 } END { exit !found }'
}
until ready; do
  [ "$(date +%s)" -lt $deadline ] || {
    pod=$(every_pod "$on" -o name | head -n 1)
    { k describe "$pod" | tail -n 3; k logs "$pod" --tail=3 2>&1 | sed 's/\x1b\[[0-9;]*m//g'; } >&2
    exit 1
  }
  sleep 0.3
done
