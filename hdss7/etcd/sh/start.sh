# Starts a program under supervisord ($1) and waits up to $2 seconds until what it serves at $URL answers.
# $CACERT: what signed its certificate, '' for plain http.
supervisorctl start "$1" >/dev/null 2>&1 &
end=$(($(date +%s) + $2))
until curl -fs -m 2 ${CACERT:+--cacert "$CACERT"} "$URL" >/dev/null; do
  [ "$(date +%s)" -lt $end ] || { echo "$1 did not answer within $2 s: $(supervisorctl status "$1")" >&2; exit 1; }
  sleep 0.3
done
