# Waits for one line before it does anything: if the owner dies before it has recorded this process, it never comes.
# $1, $2, ...: control groups, `--`, the command to run in them
read -r _ || exit 1
exec </dev/null
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done
shift
exec "$@"
