# Runs a command with a host's disk mounted at $2/root. It wants a mount namespace of its own.
# $1: the tree below; $2: the disk; $3, $4, ...: the command
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root" || exit 1
shift 2
exec "$@"
