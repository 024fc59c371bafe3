# Prints PATH:SUPERVISOR_PROCESS_NAME=NAME, and a NUL, for each program that supervisord runs.
# $1: its pidfile
read -r p 2>/dev/null <"$1" && read -r children 2>/dev/null <"/proc/$p/task/$p/children"
set --
for c in $children; do set -- "$@" "/proc/$c/environ"; done
[ $# -eq 0 ] || grep -azH "^SUPERVISOR_PROCESS_NAME=" "$@" 2>/dev/null
