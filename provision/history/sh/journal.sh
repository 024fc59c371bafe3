# What every step of the journal begins with.
# $FILE: the journal; $INDEX: the list of what was made here
umask 077
refuse() {  # the shell's own words for a full disk are "I/O error": dd says what it is
  echo | dd of="$FILE.why" status=none; rm -f "$FILE.why"
  echo "the journal could not be written: nothing was changed" >&2; exit 1
}
