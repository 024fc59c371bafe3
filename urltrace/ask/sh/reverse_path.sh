# What a node drops by the reverse path, for trace.sh, whose variables OWN and EDGES these are
# shellcheck disable=SC2153,SC2154

# Packets that the kernel has dropped since its start because their way back goes elsewhere
reversed() {
  # shellcheck disable=SC2016 # awk is to expand them
  awk '$1 == "TcpExt:" && !known { for (i = 2; i <= NF; i++) name[i] = $i; known = 1; next }
    $1 == "TcpExt:" { for (i = 2; i <= NF; i++) if (name[i] == "IPReversePathFilter") print $i }' /proc/net/netstat
}

# Whether an interface filters strictly (1). Only the shell reads, so that a host where none does starts no program.
strict() {
  for file in /proc/sys/net/ipv4/conf/*/rp_filter; do
    read -r value <"$file" || : # dash reads byte by byte, and such a file gives one only
    if [ "$value" = 1 ]; then return 0; fi
  done
  return 1
}

# Of the edges, and of the networks behind others: those whose packets the kernel itself says that it drops where they
# come in, at the interface with the node's address. $1: the packets that it had dropped before this trace
reverse_path() {
  address=${OWN%:*}
  device=$(ip -o -4 address show to "$address" | awk '{ print $2; exit }')
  sysctl net.ipv4.conf.all.rp_filter "net.ipv4.conf.$device.rp_filter"
  for source in $EDGES $(ip -4 route show | sed -n 's|^\([0-9.]*/[0-9]*\) via .*|\1|p' | head -n 8); do
    said=$(ip route get "$address" from "${source%/*}" iif "$device" 2>&1) ||
      echo "from $source iif $device: $said; back: $(ip route get "${source%/*}" 2>&1 | head -n 1)"
  done
  echo "IPReversePathFilter $1 $(reversed)"
}
