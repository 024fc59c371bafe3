# Stops programs under supervisord ("$@"), as far as they run, and waits until they have ended.
for program in "$@"; do
  supervisorctl stop "$program" >/dev/null 2>&1 || :
  case $(supervisorctl status "$program") in
  *RUNNING* | *STARTING* | *STOPPING*) echo "$program does not stop: $(supervisorctl status "$program")" >&2; exit 1 ;;
  esac
done
