# Asks what a trace wants to know of this place, side by side, and prints four files for each question: the question, the
# exit code, the output and the errors. Changes nothing.
# $PLACES: outside, edge, node, master, dns_host, with blanks between; $NAME: the host that is asked for, without its port;
# $HOST, $CONFIG: the Host header and the other ones, as lines of curl's configuration; $ADDRESS: SCHEME://HOST:PORT;
# $URI: path and query, for a quoted value of curl's; $METHOD; $PORT: of the URL; $TOKEN: of this trace, in a header;
# $TARGETS: nodes' ports; $EDGES: edges' addresses; $SERVERS: name servers;
# $QUERY: a question of DNS for bash's printf; $HOSTPORT: Traefik's; $LIMIT: seconds for a request; $FORMAT: curl's -w.
# $API: the entrance of the API servers, '' for none; $SHORT, $REST: seconds for a large request, and for a small one
# after it; $OWN: a node's own port; $CNI: where the network's plugin notes what it did; $LOGS: of pods;
# $CERTIFICATES: folders with those of programs, blanks between; $KUBECTL: with its options, blanks between; $LONGEST: seconds that it may run; besides: more to ask
d=$(mktemp -d /run/trace.XXXXXX 2>/dev/null || mktemp -d) && cd "$d" || exit 1
printf '%s\n' "$CONFIG" >config
grep -Ev -i '^header = "(content-length|transfer-encoding|expect):' config >bare # a body that does not come is waited for
count=0
reverse= # of a node with a strict filter

ask() {
  count=$((count + 1))
  printf '%s' "$1" >$count.question
  shift
  { "$@" >$count.out 2>$count.err </dev/null; echo $? >$count.code; } &
}

# $1, ...: lines of curl's configuration beside those of the request
fetch() {
  { cat "${headers:-bare}"; printf '%s\n' "$@"; } |
    curl -q -K - -gksSi --http1.1 --path-as-is --noproxy '*' --connect-timeout 2 -m "${patience:-$LIMIT}" -w "$FORMAT" | head -c 4096
}

at() {
  fetch "$HOST" "url = \"http://$1$URI\""
}

# To Traefik itself, by a name that it can't have: what pods do is another question
alive() {
  fetch 'header = "Host: trace.invalid"' "url = \"http://$1/\""
}

# As `at`, in a packet that is as large as one can be: what takes it takes small ones too
large() {
  patience=$SHORT
  fetch "$HOST" "header = \"X-Pad: $(printf '%1400s' '' | tr ' ' x)\"" "url = \"http://$1$URI\""
}

# As `at`, in what time is left after `large`
small() {
  patience=$REST
  at "$1"
}

# The request of the client: to where the name leads, and to one edge
# shellcheck disable=SC2153 # ADDRESS and PORT are given
whole() {
  headers=config
  fetch "$HOST" "request = \"$METHOD\"" "url = \"$ADDRESS$URI\""
}

# shellcheck disable=SC2153
through() {
  headers=config
  fetch "$HOST" "connect-to = \"::$1:$PORT\"" "url = \"$ADDRESS$URI\""
}

dns() {
  # shellcheck disable=SC2016 # bash is to expand them
  timeout "$LIMIT" bash -c 'exec 3<>"/dev/udp/$1/53" && printf "$2" >&3 && dd bs=1500 count=1 <&3 2>/dev/null' \
    bash "$1" "$QUERY" | od -An -v -tx1
}

outside() {
  ask "http name" whole
  for edge in $EDGES; do ask "http edge $edge:$PORT" through "$edge"; done
  for server in $SERVERS; do ask "dig $server" dns "$server"; done
  for server in $(sed -n 's/^nameserver[[:space:]]*\([0-9.]*\)[[:space:]]*$/\1/p' /etc/resolv.conf | head -n 3); do
    case " $SERVERS " in *" $server "*) ;; *) ask "cache $server" dns "$server" ;; esac
  done
  ask "getent" timeout "$LIMIT" getent ahosts "$NAME"
  # shellcheck disable=SC2016 # awk is to expand them
  ask "hosts-file" awk -v name="$NAME" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == name) print }' /etc/hosts
  ask "resolver" cat /etc/resolv.conf
  case $ADDRESS in https:*) for edge in $EDGES; do ask "certificate $edge:$PORT" certificate "$edge:$PORT"; done ;; esac
}

# Whose certificate it is, and until when. $1: ADDRESS:PORT
certificate() {
  timeout "$LIMIT" openssl s_client -connect "$1" -servername "$NAME" </dev/null 2>/dev/null |
    openssl x509 -noout -subject -issuer -dates -ext subjectAltName
}

# Lines of zone files that begin with the name's first label, and what reads them
dns_host() {
  ask "zone" grep -rniE --include='*.zone' --include='db.*' "^(${NAME%%.*}|$NAME\.)[[:space:]]" -- /etc/bind/
}

# In seconds since 1970. The times of files in /proc are those of the first look at them.
started() {
  echo $(($(sed -n 's/^btime //p' /proc/stat) + $(sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20) / $(getconf CLK_TCK)))
}

# When the workers were started that take new requests, and when a file that nginx reads was last changed
nginx_state() {
  for pid in $(pgrep -x nginx); do
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q '^nginx: worker process *$' && started "$pid"
  done | sort -n | tail -n 1 | sed 's/^/started /'
  for pid in $(pgrep -x nginx); do sed -n 's/^State:[[:space:]]*T.*/state T '"$pid"'/p' "/proc/$pid/status"; done
  sed -n 's/^# configuration file \(.*\):$/\1/p' nginx.dump | xargs -r stat -L -c 'changed %Z %n' | sort -k 2n | tail -n 1
}

# With the time at the end, as nginx writes it: what is said of this request stands shortly before
said_by_nginx() {
  tail -q -n 100 /var/log/nginx/error.log
  date '+%Y/%m/%d %H:%M:%S now'
}

# The servers that HAProxy knows, which stand for its configuration, and its processes that are stopped
haproxy_state() {
  echo 'show servers state' | timeout "$LIMIT" socat - UNIX-CONNECT:/run/haproxy/admin.sock
  for pid in $(pgrep -x haproxy); do sed -n 's/^State:[[:space:]]*T.*/state T '"$pid"'/p' "/proc/$pid/status"; done
}

# Digests of the files that HAProxy reads, where it is to serve or does. Without passwords: a short one could be guessed
# from the digest of a text that is known otherwise. Users of closed names lie in files that users.list names by digests.
haproxy_files() {
  programs | grep -qx haproxy || pgrep -x haproxy >/dev/null || return 0
  for file in "$HAPROXY"/*.cfg "$HAPROXY"/site/*.list; do
    [ ! -f "$file" ] || echo "$(sed -E 's/((insecure-)?password|stats +auth) .*/\1/' "$file" | sha256sum | cut -c 1-32) $file"
  done
}

# The programs that are to serve here, whether they run or not
programs() {
  for unit in nginx haproxy; do ! systemctl -q is-enabled "$unit" 2>/dev/null || echo "$unit"; done
}

edge() {
  for target in $TARGETS; do
    ask "http large $target" large "$target"
    ask "route ${target%:*}" ip route get "${target%:*}"
  done
  ask "neighbours" ip -4 neigh
  filters
  ask "listen" ss -Hlntp
  ask "addresses" ip -o -4 address
  ask "edge program" programs
  ask "haproxy files" haproxy_files
  if pgrep -x haproxy >/dev/null; then ask "haproxy" haproxy_state; fi
  if pgrep -x nginx >/dev/null; then # without a process it would write a file for its id
    timeout "$LIMIT" nginx -T >nginx.dump 2>nginx.said
    ask "nginx -T" cat nginx.said nginx.dump
    ask "nginx-state" nginx_state
  fi
}

# Rules that may stop a packet: of iptables, the tables that come first too, and what others keep by nft
filters() {
  ask "filter" iptables-save -t filter
  ask "filter raw" iptables-save -t raw
  ask "filter mangle" iptables-save -t mangle
  ask "nft" stops
}

stops() {
  nft -a list ruleset 2>/dev/null | grep -E '^(table|[[:space:]]*chain) |hook| (drop|reject)( |$)' | grep -v 'xt ' | head -n 200
}

# Errors of ICMP that this host has got and sent: one that rejects its own packets sends them to itself
unreachable() {
  # shellcheck disable=SC2016 # awk is to expand them
  awk '$1 == "Icmp:" && !known { for (i = 2; i <= NF; i++) name[i] = $i; known = 1; next }
    $1 == "Icmp:" { for (i = 2; i <= NF; i++) if (name[i] ~ /^(In|Out)DestUnreachs$/) printf " %s", $i }' /proc/net/snmp
}

# $1, ...: targets that were refused, asked once more, one after the other
counted() {
  for target in "$@"; do
    before=$(unreachable)
    at "$target" >/dev/null 2>&1
    echo "$target$before$(unreachable)"
  done
}

# What the edge has written of these requests: whom it asked, and what it got
passed() {
  { tail -q -n 5000 /var/log/nginx/access.log; journalctl -u haproxy -n 5000 -o cat --no-pager; } 2>/dev/null |
    grep -F "trace=$TOKEN" | head -n 5
}

# What the first answers call for: large requests that connected and were silent go out once more, small
again() {
  refused=
  for question in *.question; do
    case $(cat "$question") in
      "http large "*)
        target=$(cut -d ' ' -f 3 "$question") stats=${question%.question}.err
        if grep -q '^exit=7 ' "$stats"; then refused="$refused $target"; fi
        if grep -q '^exit=28 ' "$stats" && ! grep -q ' connect=0.000000 ' "$stats"; then ask "http node $target" small "$target"; fi
        ;;
    esac
  done
  ask "log access" passed
  ask "log nginx" said_by_nginx
  # shellcheck disable=SC2086 # a word each
  [ -z "$refused" ] || ask "icmp" counted $refused
}

# Where the pod with the host port answers: as the network's plugin noted it, else as the kernel's rules say
traefik() {
  noted=$(grep -ils "\"hostport\":${HOSTPORT}[,}]" "$CNI"/results/* "$CNI"/cache/results/* |
    xargs -r grep -L '"address":"127\.' | xargs -r ls -t | head -n 1) # the pod's loopback is noted as well
  if [ -n "$noted" ]; then
    address=$(grep -o '"address":"[0-9.]*/' "$noted" | head -n 1 | tr -dc '0-9.')
    mapping=$(grep -io "[^{]*\"hostport\":${HOSTPORT}[,}][^}]*" "$noted" | head -n 1)
    echo "$address:$(echo "$mapping" | grep -io '"containerport":[0-9]*' | head -n 1 | tr -dc '0-9')"
  else
    sed -n "s/.*--dport $HOSTPORT .*--to-destination \([0-9.:]*\).*/\1/p" rules | head -n 1
  fi
}

# The servers of the services that routers with the name lead to, at most four
pods() {
  parent="*.${NAME#*.}"
  grep -o '"service":"[^"]*","rule":"[^}]*' rawdata | grep -F -e "\"$NAME\\" -e "\`$NAME\`" -e "\"$parent\\" -e "\`$parent\`" |
    cut -d '"' -f 4 | sort -u | while read -r service; do
      grep -o "\"$service@[a-z]*\":{\"loadBalancer\":{[^]]*\"servers\":\[[^]]*" rawdata | grep -o 'http://[^"]*' | cut -c 8-
    done | sort -u | head -n 4
}

routes() {
  for pod in "$@"; do ip route get "${pod%:*}"; done
}

errors() {
  tail -q -n 200 /var/log/pods/*_traefik*/*/*.log | grep -E ' ERR |forbidden|reflector|stderr [FP] E[0-9]' | tail -n 20
}

node() {
  if strict; then reverse=$(reversed); fi
  ask "http node $OWN" at "$OWN"
  for edge in $EDGES; do ask "route $edge" ip route get "$edge"; done
  filters
  ask "kubelet" curl -q -sS -m 2 --noproxy '*' http://127.0.0.1:10248/healthz
  [ -z "$API" ] || ask "api $API" curl -q -ksS -m 2 --noproxy '*' -w "$FORMAT" "https://$API/readyz"
  ask "kube-proxy" curl -q -sS -m 2 --noproxy '*' http://127.0.0.1:10256/healthz
  ask "listen" ss -Hlntp
  ask "sysctl" sysctl net.ipv4.ip_forward
  ask "log traefik" errors
  iptables-save -t nat >rules 2>rules.said
  ask "nat" grep -E -- "^-A PREROUTING |--dports? ([0-9,:]*,)?$HOSTPORT(,| )" rules
  behind &
}

# What is asked of the node's Traefik, and of the pods that it leads to: beside the rest, for one that is frozen
behind() (
  count=1000
  traefik >traefik.found
  found=$(cat traefik.found)
  [ -n "$found" ] || exit 0
  ask "http traefik $found" at "$found"
  ask "http alive $found" alive "$found"
  curl -q -sS -m "$LIMIT" --noproxy '*' "http://${found%:*}:8080/api/rawdata" >rawdata 2>rawdata.said || {
    wait
    exit 0
  }
  ask "rawdata" cat rawdata
  pods=$(pods)
  for pod in $pods; do ask "http pod $pod" at "$pod"; done
  # shellcheck disable=SC2086 # a word each
  ask "routes" routes $pods
  wait
  for pod in $pods; do
    if refused_here "$pod"; then ask "listen pod $pod" listening "${pod%:*}"; fi
  done
  wait
)

# Whether curl got no connection to $1. It says so of a program that resets what it takes as well.
refused_here() {
  question=$(grep -lx "http pod $1" ./*.question) && grep -q 'exit=7 ' "${question%.question}.err"
}

# What listens in the pod with the address $1, where it is one of this node: the network's plugin has noted where that is
listening() {
  noted=$(grep -ls "\"address\":\"$1/" "$CNI"/results/* "$CNI"/cache/results/* | xargs -r ls -t | head -n 1)
  [ -n "$noted" ] || return 0
  inside=$(grep -o '"sandbox":"[^"]*' "$noted" | head -n 1)
  nsenter --net="${inside#*:?}" ss -Hlnt
}

# What Traefik has written of this trace's requests: who asked, by which router, whom it asked, what it got
requests() {
  tail -q -n 2000 /var/log/pods/*_traefik*/*/*.log | grep -F "$TOKEN." | head -n 20
}

# Pods of this node, but for Traefik's, whose logs name this trace's requests, and who had sent these. Nothing else of
# the lines is told. Only the ends of logs are read, and of those that were written in the last minute.
pod_logs() {
  cd "$LOGS" || return 0
  find . -path './*_traefik*' -prune -o -name '*.log' -mmin -1 -print0 | xargs -0 -r tail -v -c 65536 |
    LC_ALL=C awk -v token="$TOKEN." '/^==> .* <==$/ { split($2, path, "/"); split(path[2], pod, "_") }
      (at = index($0, token)) && match(rest = substr($0, at + length(token)), /^[A-Za-z0-9-]+/) {
        line = pod[1] "/" pod[2] " from " substr(rest, 1, RLENGTH)
        if (!known[line]++ && ++lines <= 20) print line }'
}

# Where the kernel led what came to the host port: this host's own request, and those that nothing came back for; then
# what Traefik itself asks for in vain
connections() {
  asked=$(grep -l "^http node $OWN" ./*.question | head -n 1)
  port=$(sed -n 's/.* port=//p' "${asked%.question}.err")
  conntrack -L -p tcp --orig-port-dst "$HOSTPORT" | grep -E " sport=${port:-none} dport=$HOSTPORT |UNREPLIED" | head -n 8
  [ ! -s traefik.found ] || conntrack -L -p tcp -s "$(cut -d : -f 1 traefik.found)" | grep UNREPLIED | head -n 8
}

# When the certificates of this host's programs end: their files, each with how many it holds, then their ends
ends() {
  # shellcheck disable=SC2086 # a word each
  find $CERTIFICATES -maxdepth 1 -name '*.pem' ! -name '*-key.pem' -exec grep -c 'BEGIN CERT' /dev/null {} + 2>/dev/null |
    grep -v ':0$' >certificates
  cut -d : -f 1 certificates | xargs -r cat >chain.pem
  [ ! -s chain.pem ] || openssl storeutl -noout -text -certs chain.pem | grep -F 'Not After' | cat certificates -
}

for place in $PLACES; do $place; done
case " $PLACES " in *" outside "*) ;; *) ask "ends" ends ;; esac
besides
case " $PLACES " in *" master "*) listed ;; esac
wait
case " $PLACES " in *" edge "*) again ;; esac
case " $PLACES " in
  *" node "*)
    ask "requests" requests
    ask "pod logs" pod_logs
    ask "connections" connections
    [ -z "$reverse" ] || ask "reverse path" reverse_path "$reverse"
    ;;
esac
wait
# one program for all of them: a name by itself, then its lines after a blank each
LC_ALL=C sed -s -e 1F -e 's/^/ /' ./*.question ./*.code ./*.out ./*.err
echo
cd / && rm -rf "$d"
