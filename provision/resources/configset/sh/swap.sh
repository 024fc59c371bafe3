# Swaps the set of DIRECTORY for the one that arrives on standard input: staged, validated, moved by one rename,
# activated; put back when the program does not take it.
#
# Arguments: SIZE NAME of each file. Needs the functions of links.sh, and of the program:
#   complete_set  adds to the new set in $NEW what only the host knows; $CURRENT is the set in use
#   validate_set  fails unless the tree in $STAGED, the working directory, is right
#   activate_set  makes the program read the set, and fails unless it does
#   settle        records what runs now
# STAMP: the file that says which set runs. RELEASES: how many sets stay on the host.
# CONFIRM: seconds after which the host runs REVERT, a script, unless REVERT_FILE is gone by then; '' for never.
#
# Every state between two commands is one that the program can load: `site` is swapped by one rename, links are added
# after and removed before it, and files that stood there become links to a copy of themselves first.
set -u
umask 022
cd "$DIRECTORY" || exit 1
# a set that still waits for its confirmation is reverted first: what this one can go back to is always confirmed
! mv "$REVERT_FILE" "$REVERT_FILE.going" 2>/dev/null || sh "$REVERT_FILE.going"
id=$(date +%Y%m%dT%H%M%S).$$
new=$PWD/releases/$id
mkdir -p "$new" || exit 1
staged=$(mktemp -d /run/staged.XXXXXX) || exit 1
trap 'rm -rf "$staged"' EXIT
refuse() { rm -rf "$new"; printf '%s: nothing was changed\n' "$1" >&2; exit 1; }
# shellcheck disable=SC2016 # $1 is the inner shell's
schedule_revert() (  # systemd waits, so that no connection, session or lock has to last for it
  umask 077
  { printf "NAMES='%s'\nREMOVED='%s'\nOLD='%s'\nSTAMPED='%s'\nID='%s'\n" "$names" "$removed" "$old" "$stamped" "$id"
    printf '%s' "$REVERT"
  } >"$REVERT_FILE" &&
    # the rename decides between this and the confirmation
    systemd-run -q --collect --unit="provision-revert-$id" --on-active="$CONFIRM" \
      --timer-property=AccuracySec=100ms sh -c 'mv "$1" "$1.going" && exec sh "$1.going"' revert "$REVERT_FILE"
)

names=
while [ $# -gt 0 ]; do
  mkdir -p "$new/$(dirname "$2")"
  head -c "$1" >"$new/$2" || refuse "the set could not be written"
  names="$names $2"
  shift 2
done
NEW=$new CURRENT=$PWD/site complete_set || refuse "the set could not be completed"
chown -R root:root "$new"  # a directory with a group of its own (/etc/bind) hands it down
old=$(readlink site | sed 's|^releases/||')
removed=$([ -z "$old" ] || find "releases/$old" -type f -printf '%P\n' 2>/dev/null | while read -r name; do
  case "$names " in *" $name "*) continue ;; esac
  [ "$(readlink "$name")" != "$(link_target "$name")" ] || printf '%s ' "$name"
done)
# the program validates a copy of the whole tree, with the new set in it, as it will be found
tar -c --exclude=./releases --exclude=./site -h . 2>/dev/null | tar -x -C "$staged"
for name in $removed; do rm -f "$staged/$name"; done
cp -a "$new/." "$staged/"
ln -s . "$staged/site"
( cd "$staged" && STAGED=$staged validate_set ) || refuse "the staged set was refused"
stamped=$(cat "$STAMP" 2>/dev/null)
rm -f "$STAMP"
if [ -z "$old" ]; then
  old=$id.before
  mkdir -p "releases/$old"
  for name in $names; do
    [ ! -f "$name" ] || { mkdir -p "releases/$old/$(dirname "$name")"; cp -pL "$name" "releases/$old/$name"; }
  done
  use_release "$old"
fi
for name in $names; do  # a file that somebody put in a link's place stays with the previous set, then is linked again
  [ -L "$name" ] || [ ! -f "$name" ] || {
    mkdir -p "releases/$old/$(dirname "$name")"; cp -p "$name" "releases/$old/$name"; make_link "$name"
  }
done
[ -z "$CONFIRM" ] || schedule_revert || { rm -f "$REVERT_FILE"; refuse "the host could not schedule going back"; }
for name in $removed; do remove_link "$name"; done
use_release "$id"
for name in $names; do make_link "$name"; done
if activate_set; then
  settle
  find releases -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +$((RELEASES + 1)) |
    while read -r _ release; do rm -rf "$release"; done
else
  rm -f "$REVERT_FILE"
  restore_release "$old" "$names" "$removed"
  activate_set >/dev/null 2>&1
  rm -rf "$new"
  echo "the previous set is in place again" >&2
  exit 1
fi
