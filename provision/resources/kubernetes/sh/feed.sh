# Runs a command that reads manifests.
# $1, $2, ...: the command; $MANIFESTS: what it reads
"$@" <<END
$MANIFESTS
END
