# Has a kubelet register its Node again where it is missing, and labels it. Requires node_state.sh.
# $1: the kubelet's name under supervisord; $2: the patch with the label; $3: seconds
set -u
[ "$(state)" != missing ] || supervisorctl restart "$1" >/dev/null 2>&1
deadline=$(( $(date +%s) + $3 ))
until now=$(state); [ "$now" = labelled ]; do
  [ "$(date +%s)" -lt $deadline ] || { echo "the API has no Node of this host after $3 s (${now:-no answer})" >&2; exit 1; }
  [ "$now" != unlabelled ] ||
    api -fs -m 5 -o /dev/null -X PATCH -H 'Content-Type: application/merge-patch+json' --data "$2" || true
  sleep 0.3
done
