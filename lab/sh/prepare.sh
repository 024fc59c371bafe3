#!/bin/sh
# Stands for the hardware: runs before everything else. Without this a v1 controller is read-only inside, mounts don't
# reach pods, and kubelet finds sysctls that it would change for the whole machine: it sees files with the values that
# it wants (gotchas 1 and 4).
mount --make-rshared /
for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
  [ ! -d /sys/fs/cgroup/$controller ] || mount -o remount,bind,rw /sys/fs/cgroup/$controller
done
mkdir -p /run/lab
for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
  name=${setting%=*}
  file=/run/lab/$(echo "$name" | tr / .)
  printf '%s\n' "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/$name"
done
