# Removes what a host keeps that was a node. Requires former_node.sh, `state` of node_state.sh, and `clear_rules`, which
# ends kube-proxy and removes the chains.
# $1: the pod network's unit of systemd; $CONTAINERD: containerd's configuration
remove_containers() {
  tries=20
  while [ -n "$(containers)" ] && [ $tries -gt 0 ]; do
    ctr -n k8s.io tasks ls -q | while read -r task; do ctr -n k8s.io tasks kill -a -s KILL "$task" 2>/dev/null; done
    sleep 0.5
    ctr -n k8s.io tasks ls -q | while read -r task; do ctr -n k8s.io tasks rm -f "$task" >/dev/null 2>&1; done
    containers | while read -r container; do ctr -n k8s.io containers rm "$container" >/dev/null 2>&1; done
    tries=$((tries-1))
  done
  [ -z "$(containers)" ] || { echo "containers stay: $(containers | xargs)" >&2; return 1; }
  for namespace in $(ip netns list | awk '/^cni-/ { print $1 }'); do ip netns del "$namespace"; done
}
stop_containerd() {  # unless it is not ours, or runs somebody else's containers too
  head -n 1 "$CONTAINERD" 2>/dev/null | grep -q 'by provision' || return 0
  for other in $(ctr namespaces ls -q); do
    [ "$other" = k8s.io ] || [ -z "$(ctr -n "$other" containers ls -q)" ] || return 0
  done
  systemctl disable --now containerd
}
set -u
head -n 1 "$MARK" 2>/dev/null | grep -q 'by provision' || exit 0
case $(state) in *labelled)
  echo "the cluster still has the Node of this host, with pods that may serve: it goes first, on the first master" >&2
  exit 1 ;;
esac
supervisorctl stop "$KUBELET" >/dev/null
[ -z "$(containers)" ] || remove_containers || exit 1
mounts | while read -r mount; do umount "$mount" || umount -l "$mount"; done
clear_rules || exit 1
masquerades | sed 's/^-A/-D/' | while read -r rule; do echo "$rule" | xargs iptables -w -t nat; done
systemctl disable --now "$1" 2>/dev/null
[ ! -e "/sys/class/net/$BRIDGE" ] || ip link del "$BRIDGE"
rm -rf /run/cni-ipam
remove_stale_routes
stop_containerd
rm -f "$PROXY_UNIT" "$MARK"  # last: without it nobody looks for the rest
supervisorctl update >/dev/null
