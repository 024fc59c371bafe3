# Ends every kube-proxy, then removes all that it has in the kernel. Requires proxy_look.sh and proxy_remove.sh.
# $1: its name under supervisord; $2: pattern of its chains
save_rules
supervisorctl stop "$1" >/dev/null 2>&1
n=0; signal=TERM
while p=$(processes | xargs); [ -n "$p" ]; do
  # shellcheck disable=SC2086  # several processes are several words
  [ $((n % 50)) -ne 0 ] || kill -s $signal $p 2>/dev/null
  n=$((n+1)); [ $n -lt 100 ] || signal=KILL
  [ $n -lt 150 ] || refuse "kube-proxy still runs (process $p) after SIGKILL: nothing was removed"
  sleep 0.1
done
drop_chains "$2"
drop_tables
drop_ipvs
exit 0
