# Functions that change a path by one rename: whoever reads it finds what was there before or what is new, never half.
beside() {  # beside PATH: sets $NEW to an empty private neighbour of PATH that is removed at exit
  # its name starts with a dot and ends in a number, so no `*.conf` glob ever reads it; a process costs the host a
  # millisecond, so this is mktemp by the shell's own means: O_EXCL (set -C), and 0600
  NEW="${1%/*}/.${1##*/}.$$"
  [ ! -e "$NEW" ] && [ ! -L "$NEW" ] || rm -f -- "$NEW"
  mask=$(umask)
  umask 077
  set -C
  : >"$NEW" || exit 1
  set +C
  umask "$mask"
  trap 'rm -f "$NEW"' EXIT
}
install_file() {  # install_file PATH MODE OWNER GROUP: $NEW becomes PATH
  chown -- "$3:$4" "$NEW" && chmod "$2" "$NEW" && sync "$NEW" && mv -fT -- "$NEW" "$1" && trap - EXIT
}
install_link() {  # install_link PATH TARGET; `ln -sf` has a moment without any link
  ln -s -- "$2" "$1.new.$$" && mv -fT -- "$1.new.$$" "$1"
}
