# Prints the binaries that a process still runs although another file has taken their place, one on each line: after a
# process id's file where that one counts, and a tab. Some with the kernel's word ` (deleted)` after them.
# "$@": a binary, then '' or the file with the id of the one process that counts, then the next binary.
everywhere=
while [ $# -gt 0 ]; do
  if [ -z "$2" ]; then
    everywhere=yes
  elif read -r pid 2>/dev/null <"$2" && [ -e "/proc/$pid/exe" ] && ! [ "/proc/$pid/exe" -ef "$1" ]; then
    printf '%s\t%s\n' "$2" "$1"
  fi
  shift 2
done
[ -z "$everywhere" ] || find /proc/[0-9]*/exe -maxdepth 0 -lname '/* (deleted)' -printf '\t%l\n' 2>/dev/null
