# Has the next deploy restart programs: what is in this folder of the toolkit's state says that they are up to date.
# $FOLDER: the folder; "$@": names in it.
cd "$FOLDER" 2>/dev/null || exit 0
rm -f -- "$@"
