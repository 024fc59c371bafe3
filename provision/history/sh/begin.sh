# The first step of a run: bounds what the host keeps, then writes down what the run is for. Requires journal.sh.
# $HEAD: the journal's first line; $FOLDER: of all journals; $DAYS, $RUNS, $BYTES: how much is kept
mkdir -p "$FOLDER"
# old runs go first, and what killed loaders left (provision/remote/sh/loader.sh) after a day
find /run -maxdepth 1 -type d -name 'provision.??????' -mtime +0 -exec rm -rf {} +
( cd "$FOLDER" || exit 1
  find . -name '*.jsonl' -mtime +"$DAYS" -delete
  # shellcheck disable=SC2012  # names of runs have no odd letters
  ls -1r | tail -n +"$RUNS" | xargs -r rm -f
  while [ "$(cat ./*.jsonl 2>/dev/null | wc -c)" -gt "$BYTES" ] && set -- *.jsonl && [ $# -gt 1 ]; do rm -f "$1"; done
)
# what is left of the index is its last word about each resource, in the order of their making
[ ! -s "$INDEX" ] || { awk -F '\t' '{ if (!($1 in last)) order[++n] = $1; last[$1] = $0; gone[$1] = ($2 == "-") }
  END { for (i = 1; i <= n; i++) if (!gone[order[i]]) print last[order[i]] }' "$INDEX" >"$INDEX.new" &&
  mv -f "$INDEX.new" "$INDEX"; }
# should this step be tried twice, the run is still said once
printf '%s\n' "$HEAD" >"$FILE" || refuse
