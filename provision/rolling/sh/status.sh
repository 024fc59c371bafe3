# status ADDRESS: prints the HTTP status with which a node answers the site by itself. HOST, PORT, URL_PATH: what is asked.
status() {
  curl -s -o /dev/null -w '%{http_code}' -m 5 --connect-timeout 2 -H "Host: $HOST" "http://$1:$PORT$URL_PATH"
}
