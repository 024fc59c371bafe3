# Functions that look at what a host keeps that was a node. Requires stale_routes.sh and proxy_look.sh.
# $MARK: kubelet's unit under supervisord; $PROXY_UNIT: kube-proxy's; $KUBELET, $KUBE_PROXY: their names there;
# $PODS: the network of all pods; $BRIDGE: what they are connected to; $CHAINS: pattern of what a node has in iptables;
# $ROOT: kubelet's folder
containers() { ctr -n k8s.io containers ls -q 2>/dev/null; }
masquerades() { iptables-save -t nat 2>/dev/null | grep -F -e "! -d $PODS ! -o $BRIDGE -j MASQUERADE"; }
mounts() { awk -v root="$ROOT/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r; }
counted() { "$1" | awk -v what="$2" 'END { if (NR) print NR, what }'; }
rules() { chains "$CHAINS"; masquerades; }
remains() {
  head -n 1 "$MARK" 2>/dev/null | grep -q 'by provision' || return 0
  echo "program $KUBELET"
  [ ! -e "$PROXY_UNIT" ] || echo "program $KUBE_PROXY"
  counted containers 'containers and pod sandboxes'
  counted mounts 'mounted volumes of pods'
  [ ! -e "/sys/class/net/$BRIDGE" ] || echo "interface $BRIDGE"
  counted rules 'chains and rules of iptables'
  counted stale_routes 'routes to pods'
}
