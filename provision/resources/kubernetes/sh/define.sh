# Puts the kinds of the file $NEW into the cluster, and waits until the API server serves them. Requires fetch.sh.
# $1, $2, ...: the kinds; k: kubectl
k apply --server-side --force-conflicts -f "$NEW" >&2 || exit 1
k wait --for=condition=Established --timeout=60s crd "$@" >&2
