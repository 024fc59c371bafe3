# Runs a command with the ops host's files for name resolution in the place of the machine's.
# $1: their folder; $2, $3, ...: the command
folder=$1; shift
for name in resolv.conf hosts nsswitch.conf; do
  file=$(readlink -f "/etc/$name") && [ -e "$file" ] || { echo "lab: /etc/$name is missing" >&2; exit 1; }
  mount --bind "$folder/$name" "$file" || exit 1
done
exec "$@"
