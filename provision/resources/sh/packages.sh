# Installs or removes Debian packages without starting their daemons.
# $1: install or remove; further: names; $LOCK_TIMEOUT: seconds to wait for another apt; $CONFLICT: what to do where
# others would have to go too
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
install() {  # never at the expense of packages that are there: somebody installed them, and their daemons may run
  apt --no-remove install "$@"
}
would_remove() {  # would_remove VERB NAME...: what apt would remove beside the names
  apt -s "$@" 2>/dev/null | awk -v asked=" $* " '
    $1 == "Remv" && !index(asked, " " $2 " ") { printf "%s%s", (n++ ? ", " : ""), $2 }'
}
refuse() {  # refuse OTHERS VERB NAME...
  others=$1
  shift
  [ -z "$others" ] || { printf 'apt would remove %s to %s. %s\n' "$others" "$*" "$CONFLICT" >&2; exit 1; }
}
verb=$1
shift
if [ "$verb" = remove ]; then
  refuse "$(would_remove remove "$@")" remove "$@"
  apt remove "$@" >&2
elif ! install "$@" >/dev/null 2>&1; then  # lists are fetched only now: a host that knows the names needs no network
  said=$(apt update 2>&1) || { printf '%s\n' "$said" >&2; exit 1; }
  refuse "$(would_remove install "$@")" install "$@"
  install "$@" >&2
fi
