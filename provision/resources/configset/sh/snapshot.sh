# Prints the set in use: `SIZE<tab>NAME` and the content of each file; `-<tab>NAME` for one that not everybody may read.
# Arguments: the names that the new set has.
cd "$DIRECTORY" || exit
{ printf '%s\n' "$@"; (cd site 2>/dev/null && find . -type f | sed 's|^./||'); } | sort -u | while read -r name; do
  [ -f "$name" ] || continue
  [ -n "$(find -L "$name" -maxdepth 0 -perm -004)" ] || { printf -- '-\t%s\n' "$name"; continue; }
  printf '%s\t%s\n' "$(wc -c <"$name")" "$name"
  cat "$name"
done
