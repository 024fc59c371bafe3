# The one exec of a host: reads framed steps from standard input, runs each, writes framed results. It travels as an
# argument of `sh -c`, so these comments are removed.

# A started step runs to completion even if the connection drops.
trap "" PIPE HUP
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
umask 022
# /run is a tmpfs: a full or read-only disk can still be asked what is wrong with it.
d=$(umask 077; mktemp -d /run/provision.XXXXXX 2>/dev/null || mktemp -d /tmp/provision.XXXXXX) || exit 90
w=; k=
trap "[ -z \"\$k\" ] || flock -u 9; rm -rf \"\$d\"" EXIT
while IFS= read -r t; do case $t in provision-*) break;; esac; done
printf "%s ready\n" "$t"

# follows: whether a frame arrives within the idle timeout of the step before
follows() {
  [ -n "$w" ] || return 0
  while :; do case $(timeout "$w" head -c 1) in +) return 0;; .) ;; *) return 1;; esac; done
}
# whole: whether the part before arrived to its end
whole() { IFS= read -r e && [ "$e" = end ]; }
# lockable: from now on descriptor 9 is open, for a step to take the host's lock on it; all that is started shares it
lockable() {
  k=/run/provision.lock; [ -w /run ] || k=/tmp/provision-$(id -u).lock
  umask 077; command exec 9<>"$k" || k=; umask 022
}

# answer: $r, how the step ended, and what it complained of, after its output. Each process costs the host a
# millisecond: nothing is counted where nothing was said.
answer() {
  e=0; [ ! -s "$d/err" ] || e=$(wc -c <"$d/err")
  printf "\n%s %s %s\n" "$t" "$r" "$e"; [ "$e" = 0 ] || cat "$d/err"
}

# s: the step's timeout; n, m: bytes of script and payload; w: idle timeout in seconds, if any. n is 0 for a script of one
# line, which comes in one piece with its head.
while follows && read -r s n m w; do
  if [ "$n" = 0 ]; then
    { IFS= read -r l && whole; } || break
    set -- -c "$l" "$d/script" # $0 is the same
  else
    { ${w:+timeout "$s"} head -c "$n" >"$d/script" && whole; } || break
    set -- "$d/script"
  fi
  [ -z "$w" ] || [ -n "$k" ] || lockable
  if [ "$m" = 0 ]; then
    whole || break
    timeout -k 5 "$s" sh "$@" </dev/null 2>"$d/err"; r=$?; answer; continue
  fi
  : >"$d/pid"
  # A payload that was cut must not look like the whole: the script is killed where it waits for the rest.
  { { ${w:+timeout "$s"} head -c "$m" && whole; } || { : >"$d/cut"
      until [ -s "$d/pid" ]; do sleep 0.01; done
      p=$(cat "$d/pid"); until kill -s KILL -- "-$p" 2>/dev/null || ! kill -0 "$p" 2>/dev/null; do sleep 0.01; done; }
  } | { exec 3<&0
    timeout -k 5 "$s" sh "$@" <&3 3<&- 2>"$d/err" & p=$!; echo $p >"$d/pid"
    wait $p; r=$?; cat >/dev/null; answer; }
  [ ! -e "$d/cut" ] || break
done
