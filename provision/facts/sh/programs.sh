# Prints PATH:SUPERVISOR_PROCESS_NAME=NAME for each program that supervisord runs.
# $1: its pidfile
p=$(cat "$1" 2>/dev/null) && children=$(cat "/proc/$p/task/$p/children" 2>/dev/null)
set --
for c in $children; do set -- "$@" "/proc/$c/environ"; done
[ $# -eq 0 ] || grep -azH "^SUPERVISOR_PROCESS_NAME=" "$@" 2>/dev/null | tr '\0' '\n'
true
