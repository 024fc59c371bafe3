# Functions for routes to pod networks that nobody declares.
# $PODS: the network of all pods; $DECLARED: a route a line, as in 172.7.22.0/24 via 10.4.7.22
stale_routes() {
  ip -4 route show root "$PODS" | awk '$2 == "via" { print $1, $2, $3 }' | grep -vxF -e "$DECLARED" || true
}
remove_stale_routes() {
  stale_routes | while read -r network via gateway; do ip -4 route del "$network" "$via" "$gateway"; done
}
