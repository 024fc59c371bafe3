# Waits until all pods run the current template and are ready. Where nobody else moves them (a DaemonSet with OnDelete)
# those of an older one are deleted one by one, each awaited. Requires outdated.sh, and the function `serving`:
# whether the pods serve.
# $FIELDS: jsonpath of generation, generation seen, pods wanted, of the current template, ready, and how it updates,
# with | between; $SOAK: seconds between two moves; $TIMEOUT: seconds for each; $DECLARED: names of the Nodes that count,
# '' for all; $NODES: jsonpath of Nodes' rows, name|address|ready|ours|taints; $TOLERATED: how taints begin that pods of a
# DaemonSet tolerate by themselves
set -u
lost() {  # the Nodes that nobody declares and nobody reports of: a pod that is wanted there never comes
  [ -z "$DECLARED" ] || k get nodes -o "jsonpath=$NODES" 2>/dev/null |
    awk -F '|' -v declared=" $DECLARED " -v tolerated="$TOLERATED" '
    $3 == "True" || index(declared, " " $1 " ") { next }
    { n = split($5, taints, " "); for (i = 1; i <= n; i++) if (index(taints[i], tolerated) != 1) next; print $1 }'
}
enough() {  # enough PODS
  [ "${1:-0}" -eq "$wanted" ] || { [ "${1:-0}" -gt 0 ] && [ "$1" -ge $((wanted - $(lost | wc -l))) ]; }
}
settled() { [ "$made" = "$seen" ] && [ "${wanted:-0}" -gt 0 ] && enough "$updated" && enough "$ready"; }
move_next() {
  sleep "$pause"; pause=$SOAK
  find_template
  outdated_pods "--field-selector=spec.nodeName!=$(lost | paste -s -d , | sed 's/,/,spec.nodeName!=/g')" -o name |
    head -n 1 | while read -r pod; do
    k delete "$pod" --wait=true >&2
  done
  deadline=$(( $(date +%s) + TIMEOUT ))
}
pause=0
deadline=$(( $(date +%s) + TIMEOUT ))
until IFS='|' read -r made seen wanted updated ready how <<END
$(k get "$KIND" "$NAME" -o "jsonpath=$FIELDS")
END
  settled && serving >/dev/null 2>&1; do
  [ "$(date +%s)" -lt $deadline ] || {
    echo "$KIND $NAME was not ready within $TIMEOUT s (${ready:-0} of ${wanted:-0} pods ready):" >&2
    k get pods -o wide 2>&1 | grep -e NAME -e "$NAME" >&2
    serving >&2
    for p in $(k get pods --no-headers | awk -v name="$NAME" '
        index($1, name) == 1 { split($2, n, "/"); if (n[1] != n[2]) print "pod/" $1 }' | head -n 2); do
      k describe "$p" | tail -n 6 >&2; k logs "$p" --tail=10 >&2 2>&1
    done
    exit 1
  }
  [ "$how/$made" != "OnDelete/$seen" ] || ! enough "$ready" || ! serving >/dev/null 2>&1 || move_next
  sleep 0.3
done
