# Applies a set, then replaces those of its objects that have to be replaced whole. Both are on standard input.
# $1, $2, ...: kubectl; $SIZE: bytes of the set; $DRY_RUN: 'yes' where the API server is asked to validate it first,
# because kubectl applies one object after the other: those before a refused one would have changed; $WHOLE: 'yes' where
# something has to be replaced
manifests=${0%/*}/set  # in the loader's own folder, which is nobody else's to read and goes with it
head -c "$SIZE" >"$manifests" || exit 1
[ -z "$DRY_RUN" ] || "$@" apply --dry-run=server -f "$manifests" >/dev/null || {
  echo "the API server refused the set: nothing was changed" >&2
  exit 1
}
"$@" apply -f "$manifests" >&2 || exit 1
rm -f "$manifests"
[ -z "$WHOLE" ] || "$@" replace --save-config -f - >&2
