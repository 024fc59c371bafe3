"""The scripts that swap a set on its host: staged, judged, moved by one rename, activated, put back if need be."""

from __future__ import annotations

import shlex

from provision.facts.question import STAMPS

KEPT_RELEASES = 3


def watch(stamp: str) -> str:
    """Where the script lies that puts the set before back, as long as nobody has said that the new one is kept."""
    return f"/run/provision.{stamp}.back"


def functions(activate: str) -> str:
    """sh functions for what swaps and what goes back. They use $names, $gone and $old."""
    return _FUNCTIONS.replace("@ACTIVATE@", activate)


def armed(directory: str, stamp: str, activate: str, seconds: float) -> str:
    """sh that has the host go back by itself after that many seconds, whatever becomes of the controller."""
    known = {"directory": shlex.quote(directory), "functions": functions(activate), "stamp": f"{STAMPS}/{stamp}"}
    return _ARM % {**known, "stamps": STAMPS, "watch": watch(stamp), "seconds": seconds}


def kept(stamp: str, seconds: float) -> str:
    """sh that says in time that the new set stays; fails when the host has gone back already."""
    return (
        f"mv -f {watch(stamp)} {watch(stamp)}.kept 2>/dev/null || {{\n"
        f"  echo 'nobody said within {seconds:g} s that it is kept: the set before is in place again' >&2; exit 1\n}}\n"
        f"rm -f {watch(stamp)}.kept\n"
    )


_FUNCTIONS = r"""through() {  # through NAME: where the link at a known path leads
  printf '%ssite/%s' "$(printf '%s' "$1" | sed 's|[^/]*$||; s|[^/]*/|../|g')" "$1"
}
relink() {  # relink NAME: the known path becomes a link through site
  mkdir -p "$(dirname "$1")"
  [ "$(readlink "$1")" = "$(through "$1")" ] || { ln -s "$(through "$1")" "$1.link.$$" && mv -fT "$1.link.$$" "$1"; }
}
unlink() {  # unlink NAME: only a link of ours
  [ "$(readlink "$1")" != "$(through "$1")" ] || rm -f "$1"
}
point() {  # point RELEASE: swaps the whole set
  ln -s "releases/$1" site.link.$$ && mv -fT site.link.$$ site
}
back() {
  for f in $names; do [ -e "releases/$old/$f" ] || unlink "$f"; done
  point "$old"
  for f in $gone; do [ -e "$f" ] || relink "$f"; done
}
activate() {
@ACTIVATE@
}
"""

# One rename decides between who says 'keep' and who goes back. systemd waits, so that no line, session or lock has to
# live for it. The stamp of before comes back too: the set before ran with it.
_ARM = """( umask 077
  { printf "names='%%s'\\ngone='%%s'\\nold='%%s'\\nwas='%%s'\\nid='%%s'\\n" "$names" "$gone" "$old" "$was" "$id"
    cat <<'END-OF-BACK'
cd %(directory)s || exit 1
%(functions)s
back
( activate ) >/dev/null 2>&1
[ -z "$was" ] || { mkdir -p %(stamps)s; printf '%%s\\n' "$was" >%(stamp)s; }
rm -rf "releases/$id" %(watch)s.going
END-OF-BACK
  } >%(watch)s
) && systemd-run -q --collect --unit="provision-back-$id" --on-active=%(seconds)g \\
  --timer-property=AccuracySec=100ms sh -c 'mv %(watch)s %(watch)s.going && exec sh %(watch)s.going' || {
  rm -f %(watch)s; refuse "the host could not be made to go back by itself"; }
"""

# Every state between two commands is one that the program can load: `site` is swapped by one rename, links are added
# after and removed before it, and files that stood there become links to a copy of themselves first.
SWAP = """set -u
umask 022
cd %(directory)s || exit 1
# a set that still waits to be kept goes back first: what there is to go back to is never one that nobody kept
! mv %(watch)s %(watch)s.going 2>/dev/null || sh %(watch)s.going
id=$(date +%%Y%%m%%dT%%H%%M%%S).$$
new=$PWD/releases/$id
mkdir -p "$new" || exit 1
staged=$(mktemp -d /run/staged.XXXXXX) || exit 1
trap 'rm -rf "$staged"' EXIT
refuse() { rm -rf "$new"; echo "$1: nothing was changed" >&2; exit 1; }
%(receive)s
( %(complete)s ) || refuse "the set could not be completed"
chown -R root:root "$new"  # a directory with a group of its own (/etc/bind) hands it down
old=$(readlink site | sed 's|^releases/||')
names=" %(names)s "
%(functions)s
gone=$([ -z "$old" ] || find "releases/$old" -type f -printf '%%P\\n' 2>/dev/null | while read -r f; do
  case $names in *" $f "*) ;; *) [ "$(readlink "$f")" != "$(through "$f")" ] || printf '%%s ' "$f" ;; esac
done)
# the program judges a copy of the whole tree, with the new set in it, as it will be found
tar -c --exclude=./releases --exclude=./site -h . 2>/dev/null | tar -x -C "$staged"
for f in $gone; do rm -f "$staged/$f"; done
cp -a "$new/." "$staged/"
ln -s . "$staged/site"
( cd "$staged" && %(validate)s ) || refuse "the staged set was refused"
was=$(cat %(settles)s 2>/dev/null)
%(owed)s
if [ -z "$old" ]; then
  old=$id.before
  mkdir -p "releases/$old"
  for f in $names; do
    [ ! -f "$f" ] || { mkdir -p "releases/$old/$(dirname "$f")"; cp -pL "$f" "releases/$old/$f"; }
  done
  point "$old"
fi
for f in $names; do  # what somebody made of a link is kept with the old set, then linked again
  [ -L "$f" ] || [ ! -f "$f" ] || {
    mkdir -p "releases/$old/$(dirname "$f")"; cp -p "$f" "releases/$old/$f"; relink "$f"
  }
done
%(arm)s
for f in $gone; do unlink "$f"; done
point "$id"
for f in $names; do relink "$f"; done
if ( activate ); then
  %(settled)s
  ls -1dt releases/*/ | tail -n +%(kept)d | while read -r r; do rm -rf "$r"; done
else
  rm -f %(watch)s
  back
  ( activate ) >/dev/null 2>&1
  rm -rf "$new"
  echo "the set before is in place again" >&2
  exit 1
fi
"""
