# What a layer of extracted packages lacks: a shell, so that `kubectl exec` into a pod finds one, and the users that
# programs switch to.
# $1: the layer's root
set -e
cd "$1"
mkdir -p bin proc sys run root var/log
for applet in cat cp date env grep head hostname id kill ls mkdir mv nslookup ping ps rm sh sleep tail touch wget; do
  [ -e bin/$applet ] || ln -s busybox bin/$applet
done
printf '%s\n' root:x:0:0:root:/root:/bin/sh www-data:x:33:33:www-data:/var/www:/bin/false \
  nobody:x:65534:65534:nobody:/:/bin/false >etc/passwd
printf '%s\n' root:x:0: www-data:x:33: nogroup:x:65534: >etc/group
