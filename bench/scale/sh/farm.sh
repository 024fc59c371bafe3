# Makes small hosts, each an sshd at an address and with a root of its own, and stays until its standard input ends.
# It wants network, mount and pid namespaces of its own: they end with it, and everything in them.
# $1: the tree below all roots; $2: the folder of the hosts' disks; $3: their network; $4: what each host runs.
# Standard input: `NAME ADDRESS` a line, then `up`
set -e
mount --make-rprivate /
ip link set lo up
ip route add local "$3" dev lo # all of its addresses are this namespace's, without a line for each
while read -r name address && [ "$name" != up ]; do
  disk=$2/$name
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
  # one that does not start is missed by whoever made it: it looks who listens
  unshare --mount --pid --fork --kill-child sh -c "$4" sh "$disk/root" "$address" </dev/null 2>>"$disk/log" &
done
echo made
cat >/dev/null
