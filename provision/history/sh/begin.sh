# The first step of a run: bounds what the host keeps, then writes down what the run is for. Requires journal.sh.
# $HEAD: the journal's first line; $FOLDER: of all journals; $DAYS, $RUNS, $BYTES: how much is kept
line_end='
'
[ -d "$FOLDER" ] || mkdir -p "$FOLDER"
# old runs go first, and what killed loaders left (provision/remote/sh/loader.sh) after a day
find /run "$FOLDER" -maxdepth 1 \( -path '/run/provision.??????' -type d -mtime +0 -exec rm -rf {} + \) -o \
  \( -path "$FOLDER/*.jsonl" -mtime +"$DAYS" -delete \)
( cd "$FOLDER" || exit 1
  set -- *.jsonl # their names sort by time
  while [ $# -ge "$RUNS" ]; do rm -f "$1"; shift; done
  # the last line of wc has the sum, and a word after it
  while [ $# -gt 1 ] && size=$(wc -c -- "$@") && size=${size##*"$line_end"} && [ "${size%% total}" -gt "$BYTES" ]; do
    rm -f "$1"
    shift
  done
)
# what is left of the index is its last word about each resource, in the order of their making
[ ! -s "$INDEX" ] || { awk -F '\t' '{ if (!($1 in last)) order[++n] = $1; last[$1] = $0; gone[$1] = ($2 == "-") }
  END { for (i = 1; i <= n; i++) if (!gone[order[i]]) print last[order[i]] }' "$INDEX" >"$INDEX.new" &&
  mv -f "$INDEX.new" "$INDEX"; }
# should this step be tried twice, the run is still said once
printf '%s\n' "$HEAD" >"$FILE" || refuse
