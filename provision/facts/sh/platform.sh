# Prints the machine, a line missing=COMMAND for each command that it lacks, and what it calls itself.
uname -m
for c in apt-get systemctl find sha256sum base64; do command -v $c >/dev/null || echo missing=$c; done
grep -E '^(ID|VERSION_ID|PRETTY_NAME)=' /etc/os-release
