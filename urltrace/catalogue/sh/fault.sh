# Functions of the scripts of faults. Copies of what is changed lie in /run/fault, so that every undo is exact.
NGINX=/etc/nginx/nginx.conf
SITE=/etc/nginx/conf.d/od.com.conf
ZONE=/etc/bind/site/zones/od.com.zone

k() { /opt/kubernetes/server/bin/kubectl --kubeconfig=/opt/kubernetes/server/bin/conf/admin.kubeconfig --request-timeout=10s "$@"; }

# $1: a file that is about to be changed. Its folder's links are followed: the copy is of what they lead to.
keep() { mkdir -p /run/fault && { [ -e "/run/fault/$(echo "$1" | tr / _)" ] || cp -pL "$1" "/run/fault/$(echo "$1" | tr / _)"; }; }

# $1: a file that was kept; without a copy nothing happens
back() { kept=/run/fault/$(echo "$1" | tr / _); [ ! -e "$kept" ] || { cp -p "$kept" "$1" && rm "$kept"; }; }

# $1: what sed does to the site's part of the edge, or to the whole file that is $2
edge() { file=${2:-$SITE}; keep "$file" && sed -i "$1" "$file" && reload; }

# Until only workers of the new configuration take connections; a test of it says why it can't be loaded
reload() { nginx -t -q && nginx -s reload && sleep 1; }

# every file of the edge as it was
mend() { back $SITE && back $NGINX && rm -f /etc/nginx/conf.d/aaa.conf && reload; }

# $1: what sed does to the zone of od.com, which named then loads
zone() { keep $ZONE && sed -i "$1" $ZONE && rndc reload od.com >/dev/null && sleep 0.3; }

unzone() { back $ZONE && touch $ZONE && rndc reload od.com >/dev/null; }

# $1: a kind and a name, $2: a patch of JSON, $3: the namespace
patch() { k patch -n "${3:-default}" "$1" --type=json -p "$2" >/dev/null; }

# $1: a kind and a name in default, which is deleted; `again` makes it anew
gone() { mkdir -p /run/fault && k get "$1" -o json >"/run/fault/$(echo "$1" | tr / _).json" && k delete "$1" --wait=false >/dev/null; }

again() {
  kept=/run/fault/$(echo "$1" | tr / _).json
  [ ! -e "$kept" ] || { sed -i '/"resourceVersion"/d; /"uid"/d; /"clusterIP"/d' "$kept" && k create -f "$kept" >/dev/null; rm "$kept"; }
}

# $1: what both nodes' ports answer to a request for demo; $2: the path
becomes() {
  for node in 10.4.7.21 10.4.7.22; do
    [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' -H 'Host: demo.od.com' "http://$node:81${2:-/}")" = "$1" ] || return 1
  done
}

# $1: one node's address, or none for both: its Traefik is started anew, and answers
traefik_anew() {
  k -n kube-system delete pods -l k8s-app=traefik-ingress ${1:+--field-selector "status.hostIP=$1"} --grace-period=1 --wait=true >/dev/null
}

# $1, $2, ...: a rule of iptables, as after -A; put before all others of its chain
rule() { chain=$1 && shift && iptables -I "$chain" 1 "$@"; }

# $1: a hook of the kernel, $2, ...: what nft matches there, and what it does
cable() {
  hook=$1 && shift
  nft add table inet fault && nft "add chain inet fault $hook { type filter hook $hook priority -300; }" && nft add rule inet fault "$hook" "$@"
}

uncable() { nft delete table inet fault; }
