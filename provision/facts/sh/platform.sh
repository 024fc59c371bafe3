# Prints the machine, a line missing=COMMAND for each command that it lacks, and what it calls itself.
uname -m
for c in apt-get systemctl find sha256sum base64; do command -v $c >/dev/null || echo missing=$c; done
while IFS= read -r line; do
  case $line in ID=*|VERSION_ID=*|PRETTY_NAME=*) printf '%s\n' "$line" ;; esac
done </etc/os-release
