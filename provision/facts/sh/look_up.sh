# Looks values up in files and prints a line for each: the value, a tab, the file that holds it; an empty line where
# there is none. A value may be the path of the file in which the next one is looked up.
# $1, $2, ...: file, `ours` or '', how many values, and for each value the pattern before it and its own; again and again
# ours: only in a file whose first line says that this toolkit wrote it
awk '
function look(file, before, value, ours,    line, number, found) {
  while (found == "" && (getline line <file) > 0) {
    if (++number == 1 && ours != "" && line !~ /by provision/) break
    if (!match(line, before)) continue
    line = substr(line, RSTART + RLENGTH)
    if (line ~ /^ *\[?$/ && (getline line <file) <= 0) break # a list: its first value has a line of its own
    sub(/^[-" \047]+/, "", line)
    if (match(line, value) == 1) found = substr(line, 1, RLENGTH)
  }
  close(file)
  return found
}
BEGIN {
  for (i = 1; i < ARGC;) {
    found = ARGV[i]
    ours = ARGV[i + 1]
    values = ARGV[i + 2]
    for (i += 3; values > 0; values--) {
      if (found != "") found = look(file = found, ARGV[i], ARGV[i + 1], ours)
      i += 2
    }
    print (found == "") ? "" : found "\t" file
  }
}' "$@"
