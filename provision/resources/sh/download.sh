# Installs what was fetched, and records what it is and where it came from. Requires fetch.sh.
# $1: path; $2: mode; $STAMP: path of the stamp
install_file "$1" "$2" root root
mkdir -p "${STAMP%/*}"
find "$1" -maxdepth 0 -printf "$SHA256 %s %T@ %C@ %i\n" >"$STAMP"
printf '%s\n' "$URL" >"$STAMP.url"
