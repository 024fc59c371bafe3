# Gives systemd-nspawn a folder of its own for what it keeps at run time, then runs it.
# $1, $2, ...: the command
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn || exit 1
exec "$@"
