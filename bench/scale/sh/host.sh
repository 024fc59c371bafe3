# Becomes the sshd of a small host, in mount and pid namespaces of its own.
# $1: the host's root; $2: its address
set -e
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755,size=8m run "$1/run"
mkdir "$1/run/sshd"
exec chroot "$1" /usr/sbin/sshd -D -e -o "ListenAddress=$2" -o MaxStartups=100 -o UsePAM=no -o UseDNS=no
