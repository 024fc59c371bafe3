# Stops a program under supervisord; one that supervisord does not know any more has stopped.
# $1: the program
said=$(supervisorctl stop "$1") || case $said in
*'no such process'*) ;;
*) printf '%s\n' "$said" >&2; exit 1 ;;
esac
