# Functions that remove what those of proxy_look.sh find. It was saved before, and is named: nothing is flushed as a
# whole.
# $FOLDER: the folder that rules are saved in; $KEPT: how many times
refuse() { printf '%s\n' "$1" >&2; exit 1; }
save() {  # save NAME COMMAND...: what the command prints, if there is such a command and it prints anything
  command -v "$2" >/dev/null || return 0
  n=$1; shift
  "$@" >"$saved/$n" 2>/dev/null || [ ! -s "$saved/$n" ]
}
save_rules() {
  ! servers | grep ^server >/dev/null || command -v ipvsadm >/dev/null ||
    refuse "virtual servers of mode ipvs can't be removed without ipvsadm: apt install ipvsadm"
  saved=$FOLDER/$(date -u +%Y%m%dT%H%M%SZ)
  ( umask 077; mkdir -p "$saved"; save iptables iptables-save && save ip6tables ip6tables-save &&
    save nftables nft list ruleset && save ipvsadm ipvsadm -Sn && save ipset ipset save &&
    save addresses ip addr show dev kube-ipvs0 ) || refuse "the rules could not be saved in $saved: nothing was changed"
  find "$saved" -empty -delete 2>/dev/null
  # shellcheck disable=SC2012  # the names are dates
  ls -1d "$FOLDER"/*/ | sort -r | tail -n +$((KEPT + 1)) | xargs -r rm -rf
}
drop_chains() {  # drop_chains PATTERN
  for s in iptables ip6tables; do
    command -v $s-restore >/dev/null || continue
    "$s-save" 2>/dev/null | awk -v c="$1" '
      /^\*/ { table = $0; head = out = tail = "" }
      /^:/ { n = substr($1, 2); if (n ~ c) { head = head ":" n " - [0:0]\n"; tail = tail "-X " n "\n" } }
      /^-A / && $2 !~ c { for (i = 3; i < NF; i++) if ($i ~ /^-[jg]$/) to = $(i + 1)
        if (to ~ c) { sub(/^-A/, "-D"); out = out $0 "\n" } to = "" }
      /^COMMIT/ && head != "" { printf "%s\n%s%s%sCOMMIT\n", table, head, out, tail }' >"$saved/.drop"
    [ ! -s "$saved/.drop" ] || $s-restore -w 10 --noflush <"$saved/.drop" || refuse "the chains of kube-proxy are in use"
    rm -f "$saved/.drop"
  done
}
drop_tables() { tables | while read -r _ family; do nft delete table "$family" kube-proxy; done; }
drop_ipvs() {
  servers | while read -r whose protocol server; do
    [ "$whose" = server ] || continue
    case $protocol in TCP) o=-t ;; UDP) o=-u ;; *) o=--sctp-service ;; esac
    ipvsadm -D $o "$server"
  done
  [ -z "$(link)" ] || ip link del kube-ipvs0
  n=50
  until [ -z "$(sets)" ] || [ $n -eq 0 ]; do  # the kernel takes a moment to forget rules that named them
    sets | while read -r _ name; do ipset destroy "$name" 2>/dev/null; done
    n=$((n-1)); [ -z "$(sets)" ] || sleep 0.1
  done
}
