# Functions for the servers that HAProxy runs with. SOCKET: its own, level admin. MAIN: its file.

tell() { printf '%s\n' "$1" | socat - "UNIX-CONNECT:$SOCKET"; }
declared_servers() {  # prints BACKEND/SERVER and whether the file leaves it out
  awk '$1 == "backend" { b = $2 } $1 == "server" { print b "/" $2, ($4 == "disabled" ? "maint" : "ready") }' "$MAIN" | sort
}
checked_servers() {  # prints those that the file has checked, with blanks between
  awk '$1 == "backend" { b = $2 } $1 == "server" && / check( |$)/ { printf "%s ", b "/" $2 }' "$MAIN"
}
running_servers() {  # prints the same of the running process; of its flags 1 is maintenance, 8 is drain
  tell 'show servers state' | awk 'NF > 10 && $1 ~ /^[0-9]+$/ {
    print $2 "/" $4, ($7 % 2 ? "maint" : int($7 / 8) % 2 ? "drain" : "ready")
  }' | sort
}
waiting_servers() {  # prints which of these, with blanks around each, are not up yet
  tell 'show servers state' | awk -v of="$1 " 'NF > 10 && $6 == 0 && index(of, " " $2 "/" $4 " ") { print $2 "/" $4 }'
}
apply_servers() {  # makes the running process leave out exactly those that the file does; fails unless it does
  wanted=$(declared_servers)
  running=$(running_servers)
  checked=$(checked_servers)
  back=
  while read -r server state; do
    case $(printf '%s\n' "$running" | grep -F "$server ") in "$server $state"|'') continue ;; esac
    case $state in
      maint) tell "set server $server state maint" >/dev/null ;;
      ready)
        # a server that is checked gets nothing before it is down, and is down until its own check passes
        case " $checked " in *" $server "*)
          tell "set server $server state drain; set server $server health down" >/dev/null
          back="$back $server" ;;
        esac
        tell "set server $server state ready" >/dev/null ;;
    esac
  done <<END
$wanted
END
  [ "$(running_servers)" = "$wanted" ] || {
    { echo "HAProxy does not leave out exactly whom its file does; it runs with:"; running_servers; } >&2
    return 1
  }
  n=8  # a check begins within half a second
  while [ -n "$(waiting_servers "$back")" ] && [ $n -gt 0 ]; do n=$((n - 1)); sleep 0.2; done
}
keep_checks() {  # keeps in the file $1 which servers are down; who is drained is not the process's to say
  tell 'show servers state' | awk 'NF > 10 && $1 ~ /^[0-9]+$/ { $7 = 0 } 1' >"$1.new" && mv -f "$1.new" "$1"
}
