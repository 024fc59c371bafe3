# $1: a folder. Prints `PATH INODE SHA256` for each of its files; nothing for a folder that is not there.
[ -d "$1" ] || exit 0
for file in "$1"/*; do
  [ ! -f "$file" ] || printf '%s %s %s\n' "$file" "$(stat -c %i "$file")" "$(sha256sum <"$file" | cut -d ' ' -f 1)"
done
