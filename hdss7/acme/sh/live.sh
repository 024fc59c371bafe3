# Prints the files of the folder $1, key and chain each, the youngest first. Nothing where there is none.
# shellcheck disable=SC2012 # the names are ours: letters, digits and a dot
ls -td -- "$1"/*.pem 2>/dev/null | while read -r file; do cat "$file"; done
