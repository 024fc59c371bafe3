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
edge() { file=${2:-$SITE}; keep "$file" && sed -i --follow-symlinks "$1" "$file" && reload; }

# Until only workers of the new configuration take connections; a test of it says why it can't be loaded
reload() { nginx -t -q && nginx -s reload && sleep 1; }

# every file of the edge as it was
mend() { back $SITE && back $NGINX && rm -f /etc/nginx/conf.d/aaa.conf && reload; }

# $1: what sed does to the zone of od.com, which named then loads
zone() { keep $ZONE && sed -i --follow-symlinks "$1" $ZONE && rndc reload od.com >/dev/null && sleep 0.3; }

unzone() { back $ZONE && touch $ZONE && rndc reload od.com >/dev/null; }

# $1: what sed does to the zone of od.com, of which a name server on 10.4.7.53 then hears, which keeps its answers
cache() {
  mkdir -p /run/fault && ip address replace 10.4.7.53/32 dev eth0 && cat >/run/fault/cache.conf <<'END' || return 1
options {
	directory "/run/fault"; listen-on { 10.4.7.53; }; listen-on-v6 { none; }; pid-file "/run/fault/cache.pid"; session-keyfile none;
	recursion yes; allow-query { any; }; allow-recursion { any; }; forwarders { 10.4.7.11; }; forward only;
	dnssec-validation no;
};
controls { };
END
  named -c /run/fault/cache.conf && until ss -Hlnu | grep -q '10.4.7.53:53 '; do sleep 0.1; done && zone "$1"
}

uncache() { kill "$(cat /run/fault/cache.pid)"; ip address del 10.4.7.53/32 dev eth0; unzone; }

# $1: a kind and a name, $2: a patch of JSON, $3: the namespace
patch() { k patch -n "${3:-default}" "$1" --type=json -p "$2" >/dev/null; }

# $1: a kind and a name in default, which is deleted; `again` makes it anew
gone() { keep_object "$1" && k delete "$1" --wait=false >/dev/null; }

again() { back_object "$1"; }

# What an apply declared: `kubectl create` writes the whole object there, if it finds such an annotation.
APPLIED=kubectl.kubernetes.io/last-applied-configuration

# $1: a kind and a name, $2: its namespace
keep_object() {
  kept=/run/fault/$(echo "$1" | tr / _)
  mkdir -p /run/fault && k get -n "${2:-default}" "$1" -o yaml | sed '/^  resourceVersion:/d; /^  uid:/d' >"$kept.yml"
  k get -n "${2:-default}" "$1" -o 'jsonpath={.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}' >"$kept.applied"
}

back_object() {
  kept=/run/fault/$(echo "$1" | tr / _)
  [ ! -s "$kept.yml" ] || k get -f "$kept.yml" >/dev/null 2>&1 || {
    k create -f "$kept.yml" >/dev/null
    [ ! -s "$kept.applied" ] || k annotate --overwrite -f "$kept.yml" "$APPLIED=$(cat "$kept.applied")" >/dev/null
  }
  rm -f "$kept.yml" "$kept.applied"
}

# $1: what both nodes' ports answer to a request for demo; $2: the path
becomes() {
  for node in 10.4.7.21 10.4.7.22; do
    [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' -H 'Host: demo.od.com' "http://$node:81${2:-/}")" = "$1" ] || return 1
  done
}

# The program of the pod `fault` has begun to listen: until it does, everything that it is to do wrong looks like a port
# on which nothing listens.
pod_listens() {
  curl -s -o /dev/null -m 2 "http://$(k get pod fault -o jsonpath='{.status.podIP}'):8080/"
  [ $? -ne 7 ]
}

# $1: one node, or none for both: its Traefik is started anew
traefik_anew() {
  k -n kube-system delete pods -l k8s-app=traefik-ingress ${1:+--field-selector "spec.nodeName=$1.host.com"} --grace-period=1 --wait=true >/dev/null
}

# $1, $2: when a certificate for $3 begins and ends, as 20210101000000Z; the edge serves the site by https with it
https() {
  mkdir -p /run/fault/ca && (
    cd /run/fault/ca && : >index && echo 01 >serial
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >conf
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out csr -subj "/CN=$3" 2>/dev/null
    openssl ca -batch -selfsign -config conf -keyfile key -in csr -out crt -startdate "$1" -enddate "$2" -notext 2>/dev/null
  ) && cat >/etc/nginx/conf.d/aaa.conf <<'END' && reload
server {
    listen 443 ssl;
    server_name *.od.com;
    ssl_certificate /run/fault/ca/crt;
    ssl_certificate_key /run/fault/ca/key;
    location / { proxy_pass http://default_backend_traefik; proxy_set_header Host $host; }
}
END
}

# $1, $2, ...: a rule of iptables, as after -A; put before all others of its chain
rule() { chain=$1 && shift && iptables -I "$chain" 1 "$@"; }

# $1: a hook of the kernel, $2, ...: what nft matches there, and what it does
cable() {
  hook=$1 && shift
  nft add table inet fault && nft "add chain inet fault $hook { type filter hook $hook priority -300; }" && nft add rule inet fault "$hook" "$@"
}

uncable() { nft delete table inet fault; }
