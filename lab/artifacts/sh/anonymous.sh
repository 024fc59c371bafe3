# Takes out of a disk what names one host. The package sources move beside it, to where the lab's own repository is made
# from.
# $1: the disk
cd "$1" || exit 1
rm -f etc/ssh/ssh_host_* etc/hostname etc/resolv.conf var/lib/dbus/machine-id
: >etc/machine-id
mv etc/apt/sources.list ../sources.list
: >etc/apt/sources.list
rm -f etc/systemd/system/timers.target.wants/* var/cache/apt/*.bin
find var/log -type f -delete
mkdir -p var/log/journal
