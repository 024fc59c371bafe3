# Prints the youngest file of the folder $1.
# shellcheck disable=SC2012 # the names are ours: letters, digits and a dot
ls -td -- "$1"/* 2>/dev/null | head -n 1
