# Takes Nodes out of the cluster: closed to new pods, their pods evicted, then deleted.
# $1, $2, ...: their names; $TAINT: says that we closed them; $TIMEOUT: seconds for the evictions of one Node; the function
# `k` is kubectl
set -u
refuse() { printf '%s\n' "$1" >&2; exit 1; }
ready() { [ "$(k get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]; }
ending() {  # the pods of a Node that were told to end and have not yet
  k get pods --all-namespaces "--field-selector=spec.nodeName=$1" \
    -o 'jsonpath={range .items[?(@.metadata.deletionTimestamp)]}{.metadata.namespace}/{.metadata.name} {end}'
}
evict() {
  # what can't be evicted for its budget's sake is tried again until the time is over
  said=$(k drain "$1" --ignore-daemonsets --delete-emptydir-data --force "--timeout=${TIMEOUT}s" 2>&1) || {
    k get poddisruptionbudgets --all-namespaces >&2
    refuse "not every pod of $1 could be evicted within $TIMEOUT s, so it stays, closed to new pods until it is declared
again: $(printf '%s\n' "$said" | tail -n 4)"
  }
  # those of DaemonSets, which no eviction keeps away: each ends as a deleted pod does, with its time to say goodbye
  k taint node "$1" "$TAINT=:NoExecute" --overwrite >/dev/null || exit 1
  sleep 3
  n=60
  while [ -n "$(ending "$1")" ] && [ $n -gt 0 ]; do n=$((n-1)); sleep 1; done
}
for node; do
  k taint node "$node" "$TAINT=:NoSchedule" --overwrite >/dev/null || exit 1
  k cordon "$node" >/dev/null || exit 1
  ! ready "$node" || evict "$node"
  k delete node "$node" --ignore-not-found --wait=false >/dev/null || exit 1
done
