# Installs or removes Debian packages without starting their daemons.
# $1: install or remove; further: names; $LOCK_TIMEOUT: seconds to wait for another apt
set -u
# Debian starts a daemon as soon as its package is unpacked, with a configuration nobody chose. policy-rc.d (Debian
# policy 9.3.3.1) keeps invoke-rc.d and deb-systemd-invoke from it; ours is removed again, also by the next run.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ] || grep -q provision $policy; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\n# by provision, while packages are installed\nexit 101\n' >$policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt() {
  apt-get -q -y -o "DPkg::Lock::Timeout=$LOCK_TIMEOUT" -o Dpkg::Options::=--force-confold --no-install-recommends "$@"
}
if [ "$1" = remove ]; then
  apt "$@" >&2
else  # lists are fetched only when the names are not known yet: a host that has them needs no network
  apt "$@" >/dev/null 2>&1 || { apt update && apt "$@"; } >&2
fi
