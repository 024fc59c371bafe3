# Prints what a kubectl command answers, and what it says beside that (warnings, groups of the API that are not served
# just now) only when it fails.
# $1, $2, ...: the command; $MANIFESTS: what it reads
{ said=$("$@" 2>&1 >&3 <<END
$MANIFESTS
END
); code=$?; } 3>&1
[ $code -eq 0 ] || printf '%s\n' "$said"
exit $code
