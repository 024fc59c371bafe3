# Prints what other modes than the declared one have left, and unsupervised kube-proxies. Requires
# proxy_look.sh.
# $1: the declared mode; $2: pattern of the chains that prove another one
p=$(processes)
chains "$2"
[ "$1" = nftables ] || tables
if [ "$1" = ipvs ]; then
  [ -n "$p" ] || servers | grep ^foreign
else
  link
  sets
  servers
fi
for p in $p; do awk '/^PPid:/ && $2 == 1 { print "orphan", p }' p="$p" "/proc/$p/status"; done
true
