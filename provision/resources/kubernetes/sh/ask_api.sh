# Prints what a kubectl command answers, and what it says beside that (warnings, groups of the API that are not served
# just now) only when it fails. Of a kind that the API server does not have there is nothing: that is an answer.
# $1, $2, ...: the command; $MANIFESTS: what it reads
{ said=$("$@" 2>&1 >&3 <<END
$MANIFESTS
END
); code=$?; } 3>&1
[ $code -ne 1 ] || [ -z "$said" ] || printf '%s\n' "$said" | grep -vqE 'no matches for kind|^ensure CRDs' || code=0
[ $code -eq 0 ] || printf '%s\n' "$said"
exit $code
