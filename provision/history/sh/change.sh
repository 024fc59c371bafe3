# One change, written down before and after. journal.sh comes before, and the functions `snapshot` and `fix`.
# $LINE: the change, without its end; $NUMBER: of the change; $LIMIT: bytes of the snapshot, or '' for none; $OF: the
# path without which there is none, or ''; $KEY: the resource in the index, or '' where it can't be there; $MADE: its
# new line there, or ''. No process is started for what is known to be nothing: each costs the host a millisecond.
b=
[ -z "$KEY" ] ||
  b=$(k="$KEY" awk -F '\t' '$1 == ENVIRON["k"] { d = $5 } END { print d }' "$INDEX" 2>/dev/null)
f=
[ -z "$LIMIT" ] || { [ -n "$OF" ] && [ ! -e "$OF" ] && [ ! -L "$OF" ]; } ||
  f=$(snapshot </dev/null 2>/dev/null | head -c "$LIMIT" | base64 -w0)
printf '%s"before":%s,"former":"%s"}\n' "$LINE" "${b:-null}" "$f" >>"$FILE" || refuse
umask 022
fix
r=$?
umask 077
printf '{"n":%d,"code":%d}\n' "$NUMBER" $r >>"$FILE"
[ $r -ne 0 ] || [ -z "$MADE" ] || printf '%s\n' "$MADE" >>"$INDEX"
exit $r
