# Downloads a file to $NEW, a neighbour of the path $1, and checks it. Requires atomic.sh.
# $URL; $SHA256; $TIMEOUT: seconds
set -eu
beside "$1"
curl -fsS --retry 2 --connect-timeout 10 --max-time "$TIMEOUT" -o "$NEW" --url "$URL" || {
  echo "$URL could not be fetched whole: nothing was installed. Look whether this host reaches it: curl -I $URL" >&2; exit 1
}
sum=$(sha256sum "$NEW")
[ "${sum%% *}" = "$SHA256" ] || {
  printf 'checksum of %s is %s, declared is %s: nothing was installed\n' "$URL" "${sum%% *}" "$SHA256" >&2; exit 1
}
