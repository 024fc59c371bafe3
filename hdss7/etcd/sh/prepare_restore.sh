# Makes a member's folder of a snapshot, beside the one it has: $DATA.new. Nothing that runs is touched.
# Standard input: the snapshot. $NAME, $URL: the member's; $CLUSTER: NAME=URL,… of all; $TOKEN: the new cluster's.
set -eu
umask 077
file=$DATA.snapshot
trap 'rm -f "$file"' EXIT
mkdir -p "${DATA%/*}"
cat >"$file"
rm -rf "$DATA.new"
program=etcdctl
! command -v etcdutl >/dev/null || program=etcdutl
ETCDCTL_API=3 $program snapshot restore "$file" --name="$NAME" --initial-cluster="$CLUSTER" \
  --initial-cluster-token="$TOKEN" --initial-advertise-peer-urls="$URL" --data-dir="$DATA.new" >&2
chown -R etcd:etcd "$DATA.new"
