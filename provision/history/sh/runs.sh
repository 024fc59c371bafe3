# Prints the journals of the runs that match a pattern, the oldest first, packed on one line.
# $FOLDER: of the journals; $RUN: pattern; $WHOLE: 'yes' for former contents too
for f in "$FOLDER"/$RUN.jsonl; do
  [ -f "$f" ] || continue
  if [ -n "$WHOLE" ]; then cat "$f"; else sed 's/"before":.*,"former":"[^"]*"/"before":null,"former":""/' "$f"; fi
  echo
done | gzip -1 | base64 -w0
echo
