# Functions that print what kube-proxy has in the kernel, one thing a line.
# $SETS: pattern of its ipsets; $FIRST, $LAST: the addresses of Services, as numbers

# A kube-proxy in a container is in another mount namespace: not ours.
processes() {
  find /proc/[0-9]*/exe -maxdepth 0 \( -lname '*/kube-proxy' -o -lname '*/kube-proxy (deleted)' \) 2>/dev/null |
    while IFS=/ read -r _ _ p _; do
      [ "$(readlink "/proc/$p/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || echo "$p"
    done
}
chains() {  # chains PATTERN
  for s in iptables ip6tables; do
    "$s-save" 2>/dev/null | awk -v s="$s" -v c="$1" '/^\*/ { t = substr($1, 2) }
      /^:/ { n = substr($1, 2); if (n ~ c) print "chain", n, s, t }'
  done
}
tables() { nft list tables 2>/dev/null | awk '$3 == "kube-proxy" { print "table", $2 }'; }
sets() { ipset list -n 2>/dev/null | grep -E "$SETS" | sed 's/^/set /'; }
link() { grep -q '^ *kube-ipvs0:' /proc/net/dev && echo link kube-ipvs0; }
# A virtual server is Kubernetes' when its address is a service's, or kube-proxy has said so in its own interface or
# ipsets; the kernel prints addresses and ports in hexadecimal (net/netfilter/ipvs/ip_vs_ctl.c).
servers() {
  grep -qE '^(TCP|UDP|SCTP|FWM) ' /proc/net/ip_vs 2>/dev/null || return 0
  { ip -o -4 addr show dev kube-ipvs0 2>/dev/null | awk '{ sub("/.*", "", $4); print "address", $4 }'
    awk '$6 == "kube-ipvs0" { print "address", $1 }' /proc/net/if_inet6 2>/dev/null
    for s in $(ipset list -n 2>/dev/null | grep -E '^KUBE-(6-)?NODE-PORT'); do
      ipset list "$s" | sed '1,/^Members:/d; s/.*[:,]//; s/^/port /'
    done
    cat /proc/net/ip_vs
  } | awk -v first="$FIRST" -v last="$LAST" '
    function number(digits,  n, i) {
      for (i = 1; i <= length(digits); i++) n = 16 * n + index("0123456789ABCDEF", substr(digits, i, 1)) - 1
      return n
    }
    $1 == "address" { mine[$2] = 1 }
    $1 == "port" { ports[$2] = 1 }
    $1 == "FWM" { print "foreign", $1, number($2) }
    $1 ~ /^(TCP|UDP|SCTP)$/ {
      cut = match($2, /:[0-9A-F]+$/); a = substr($2, 1, cut - 1); p = number(substr($2, cut + 1)); n = number(a)
      if (a ~ /^\[/) { shown = a; gsub(/[]:[]/, "", a); n = -1 }
      else shown = a = number(substr(a, 1, 2)) "." number(substr(a, 3, 2)) "." number(substr(a, 5, 2)) "." \
        number(substr(a, 7, 2))
      ours = (a in mine) || (p in ports) || (n >= first + 0 && n <= last + 0)
      print ours ? "server" : "foreign", $1, shown ":" p
    }'
}
mode() {  # that the running process was started in: its argument, or what the file of its --config says
  for p in $(processes); do
    argv=$(tr '\0' '\n' <"/proc/$p/cmdline" | sed -n '/^--[a-z-]*$/ { N; s/\n\([^-]\)/=\1/; }; p')
    file=$(printf '%s\n' "$argv" | sed -n 's/^--config=//p')
    if [ -n "$file" ]; then mode=$(cd "/proc/$p/cwd" && sed -n 's/^mode: *"\{0,1\}\([a-z]*\).*/\1/p' "$file")
    else mode=$(printf '%s\n' "$argv" | sed -n 's/^--proxy-mode=//p'); fi
    echo "${mode:-iptables}"
  done | sort -u
}
