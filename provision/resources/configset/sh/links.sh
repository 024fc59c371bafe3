# Functions for a set in the working directory. `site` is a link to releases/ID, and each path that the program reads is
# a link through `site`: one rename swaps all of them.

link_target() {  # link_target NAME: where the link at this path leads
  printf '%ssite/%s' "$(printf '%s' "$1" | sed 's|[^/]*$||; s|[^/]*/|../|g')" "$1"
}
make_link() {  # make_link NAME: by a rename, so that there is always something at the path
  mkdir -p "$(dirname "$1")"
  [ "$(readlink "$1")" = "$(link_target "$1")" ] || {
    ln -s "$(link_target "$1")" "$1.link.$$" && mv -fT "$1.link.$$" "$1"
  }
}
remove_link() {  # remove_link NAME: a file of somebody else at the path stays
  [ "$(readlink "$1")" != "$(link_target "$1")" ] || rm -f "$1"
}
use_release() {  # use_release ID
  ln -s "releases/$1" "site.link.$$" && mv -fT "site.link.$$" site
}
restore_release() {  # restore_release ID NAMES REMOVED: goes back from a set of NAMES, for which REMOVED had lost links
  for name in $2; do [ -e "releases/$1/$name" ] || remove_link "$name"; done
  use_release "$1"
  for name in $3; do [ -e "$name" ] || make_link "$name"; done
}
