# status ADDRESS: prints the HTTP status with which a node answers the site by itself. URL, PORT, METHOD: what is asked.
status() {
  [ "$METHOD" != HEAD ] || set -- "$1" --head
  curl -sk -o /dev/null -w '%{http_code}' -m 5 --connect-timeout 2 --connect-to "::$1:$PORT" "$URL" ${2:+"$2"}
}
