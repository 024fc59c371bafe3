# Functions that change a path by one rename: whoever reads it finds what was there before or what is new, never half.
beside() {  # beside PATH: sets $NEW to an empty private neighbour of PATH that is removed at exit
  # its name starts with a dot and ends in random letters, so no `*.conf` glob ever reads it
  NEW=$(mktemp "${1%/*}/.${1##*/}.XXXXXX") || exit 1
  trap 'rm -f "$NEW"' EXIT
}
install_file() {  # install_file PATH MODE OWNER GROUP: $NEW becomes PATH
  chown -- "$3:$4" "$NEW" && chmod "$2" "$NEW" && sync "$NEW" && mv -fT -- "$NEW" "$1"
}
install_link() {  # install_link PATH TARGET; `ln -sf` has a moment without any link
  ln -s -- "$2" "$1.new.$$" && mv -fT -- "$1.new.$$" "$1"
}
