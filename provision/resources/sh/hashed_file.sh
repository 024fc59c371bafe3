# Writes standard input to the file $1, makes it the youngest of its folder, and removes all but the KEPT youngest.
# Requires atomic.sh. $2: mode; $3: owner; $4: group. KEPT: how many
set -eu
(umask 022 && mkdir -p -- "${1%/*}")
beside "$1"
cat >"$NEW"
install_file "$@"
# shellcheck disable=SC2012 # the names are ours: letters, digits and a dot
ls -td -- "${1%/*}"/* | tail -n +$((KEPT + 1)) | while read -r old; do
  rm -f -- "$old"
done
