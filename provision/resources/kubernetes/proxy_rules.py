"""What kube-proxy's three modes keep in the kernel: sh that looks at it, saves it, and removes it by its names."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Literal

from provision.facts.question import STATE_DIRECTORY

Mode = Literal["iptables", "nftables", "ipvs"]
SAVED = f"{STATE_DIRECTORY}/kube-proxy"
KEPT = 5  # sets of saved rules

# pkg/proxy/{iptables,ipvs}/proxier.go in Kubernetes 1.15 to 1.34. KUBE-FIREWALL, KUBE-KUBELET-CANARY and
# KUBE-IPTABLES-HINT are kubelet's; KUBE-ROUTER-…, KUBE-POD-FW-… and others belong to other programs.
_IPTABLES = "(SVC|SVL|SEP|EXT|FW|XLB)-[A-Z2-7]+|NODEPORTS|EXTERNAL-SERVICES"
_IPVS = "LOAD-BALANCER|NODE-PORT|IPVS-FILTER|IPVS-OUT-FILTER|SOURCE-RANGES-FIREWALL"
_BOTH = "SERVICES|FORWARD|PROXY-FIREWALL|PROXY-CANARY"
_KUBELETS_TOO = "POSTROUTING|MARK-MASQ"  # a kubelet before 1.28 makes them as well: no proof of anything
CHAINS = f"^KUBE-({_IPTABLES}|{_IPVS}|{_BOTH}|{_KUBELETS_TOO})$"
SETS = "^KUBE-(6-)?(LOOP-BACK|CLUSTER-IP|EXTERNAL-IP|LOAD-BALANCER|NODE-PORT|HEALTH-CHECK-NODE-PORT|IPVS-IPS)"
LEFT: dict[Mode, str] = {  # chains that prove another mode
    "iptables": f"^KUBE-({_IPVS})$",
    "nftables": f"^KUBE-({_IPTABLES}|{_IPVS}|{_BOTH})$",
    "ipvs": f"^KUBE-({_IPTABLES})$",
}

# What all look with. A kube-proxy in a container is in another mount namespace: not ours.
# A virtual server is Kubernetes' when its address is a service's, or kube-proxy has said so in its own interface or
# ipsets; the kernel prints addresses and ports in hexadecimal (net/netfilter/ipvs/ip_vs_ctl.c).
_LOOK = r"""
processes() {
  find /proc/[0-9]*/exe -maxdepth 0 \( -lname '*/kube-proxy' -o -lname '*/kube-proxy (deleted)' \) 2>/dev/null |
    while IFS=/ read -r _ _ p _; do
      [ "$(readlink /proc/$p/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ] || echo $p
    done
}
chains() {
  for s in iptables ip6tables; do
    $s-save 2>/dev/null | awk -v s=$s -v c="$1" '/^\*/ { t = substr($1, 2) }
      /^:/ { n = substr($1, 2); if (n ~ c) print "chain", n, s, t }'
  done
}
tables() { nft list tables 2>/dev/null | awk '$3 == "kube-proxy" { print "table", $2 }'; }
sets() { ipset list -n 2>/dev/null | grep -E '@SETS@' | sed 's/^/set /'; }
link() { grep -q '^ *kube-ipvs0:' /proc/net/dev && echo link kube-ipvs0; }
servers() {
  grep -qE '^(TCP|UDP|SCTP|FWM) ' /proc/net/ip_vs 2>/dev/null || return 0
  { ip -o -4 addr show dev kube-ipvs0 2>/dev/null | awk '{ sub("/.*", "", $4); print "address", $4 }'
    awk '$6 == "kube-ipvs0" { print "address", $1 }' /proc/net/if_inet6 2>/dev/null
    for s in $(ipset list -n 2>/dev/null | grep -E '^KUBE-(6-)?NODE-PORT'); do
      ipset list $s | sed '1,/^Members:/d; s/.*[:,]//; s/^/port /'
    done
    cat /proc/net/ip_vs
  } | awk '
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
      ours = (a in mine) || (p in ports) || (n >= @FIRST@ && n <= @LAST@)
      print ours ? "server" : "foreign", $1, shown ":" p
    }'
}
mode() {  # that the running process was started in: its argument, or what the file of its --config says
  for p in $(processes); do
    argv=$(tr '\0' '\n' </proc/$p/cmdline | sed -n '/^--[a-z-]*$/ { N; s/\n\([^-]\)/=\1/; }; p')
    file=$(printf '%s\n' "$argv" | sed -n 's/^--config=//p')
    if [ -n "$file" ]; then mode=$(cd /proc/$p/cwd && sed -n 's/^mode: *"\{0,1\}\([a-z]*\).*/\1/p' "$file")
    else mode=$(printf '%s\n' "$argv" | sed -n 's/^--proxy-mode=//p'); fi
    echo "${mode:-iptables}"
  done | sort -u
}
"""

# What is removed was saved before, and is named: nothing is flushed as a whole.
_REMOVE = r"""
refuse() { echo "$1" >&2; exit 1; }
save() { command -v $2 >/dev/null || return 0; n=$1; shift; "$@" >$saved/$n 2>/dev/null || [ ! -s $saved/$n ]; }
save_rules() {
  [ -z "$(servers | grep ^server)" ] || command -v ipvsadm >/dev/null ||
    refuse "virtual servers of mode ipvs can't be removed without ipvsadm: apt install ipvsadm"
  saved=@SAVED@/$(date -u +%Y%m%dT%H%M%SZ)
  ( umask 077; mkdir -p $saved; save iptables iptables-save && save ip6tables ip6tables-save &&
    save nftables nft list ruleset && save ipvsadm ipvsadm -Sn && save ipset ipset save &&
    save addresses ip addr show dev kube-ipvs0 ) || refuse "the rules could not be saved in $saved: nothing was changed"
  find $saved -empty -delete 2>/dev/null
  ls -1d @SAVED@/*/ | sort -r | tail -n +$((@KEPT@ + 1)) | xargs -r rm -rf
}
drop_chains() {
  for s in iptables ip6tables; do
    command -v $s-restore >/dev/null || continue
    $s-save 2>/dev/null | awk -v c="$1" '
      /^\*/ { table = $0; head = out = tail = "" }
      /^:/ { n = substr($1, 2); if (n ~ c) { head = head ":" n " - [0:0]\n"; tail = tail "-X " n "\n" } }
      /^-A / && $2 !~ c { for (i = 3; i < NF; i++) if ($i ~ /^-[jg]$/) to = $(i + 1)
        if (to ~ c) { sub(/^-A/, "-D"); out = out $0 "\n" } to = "" }
      /^COMMIT/ && head != "" { printf "%s\n%s%s%sCOMMIT\n", table, head, out, tail }' >$saved/.drop
    [ ! -s $saved/.drop ] || $s-restore -w 10 --noflush <$saved/.drop || refuse "the chains of kube-proxy are in use"
    rm -f $saved/.drop
  done
}
drop_tables() { tables | while read -r _ family; do nft delete table $family kube-proxy; done; }
drop_ipvs() {
  servers | while read -r whose protocol server; do
    [ $whose = server ] || continue
    case $protocol in TCP) o=-t ;; UDP) o=-u ;; *) o=--sctp-service ;; esac
    ipvsadm -D $o "$server"
  done
  [ -z "$(link)" ] || ip link del kube-ipvs0
  n=50
  until [ -z "$(sets)" ] || [ $n -eq 0 ]; do  # the kernel takes a moment to forget rules that named them
    sets | while read -r _ name; do ipset destroy $name 2>/dev/null; done
    n=$((n-1)); [ -z "$(sets)" ] || sleep 0.1
  done
}
"""


def look(services: str) -> str:
    """sh functions that print what is there, one thing a line. services: the CIDR of the cluster's Services."""
    network = IPv4Network(services)
    first, last = int(network.network_address), int(network.broadcast_address)
    return filled(_LOOK, SETS=SETS, FIRST=str(first), LAST=str(last))


def remove() -> str:
    """sh functions that save and remove what `look` finds; they want its functions before them."""
    return filled(_REMOVE, SAVED=SAVED, KEPT=str(KEPT))


def filled(script: str, **values: str) -> str:
    """The script with its @NAMES@ replaced: sh, sed and awk leave no other sign free."""
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return script
