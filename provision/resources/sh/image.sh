# Imports what was fetched into containerd, and records what it is and where it came from. Requires fetch.sh.
# $STAMP: path of the stamp
ctr -n k8s.io images import "$NEW" >/dev/null
mkdir -p "${STAMP%/*}"
printf '%s\n' "$SHA256" >"$STAMP"
printf '%s\n' "$URL" >"$STAMP.url"
