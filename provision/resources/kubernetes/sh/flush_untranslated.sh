# Deletes the connection-tracking entries of connections to Services that no rule has translated.
# $1: the addresses of Services, as a CIDR
#
# What begins while a node has no rules is noted by the kernel as going to the Service's own address, for two minutes
# (TCP without an answer), and what is sent from the same source port meanwhile goes the same way, past the new rules.
# `conntrack -D` ends at the first entry that is gone by itself, and skips the rest: so it is repeated until none is
# left. Not for ever: somebody may go on asking an address that no Service has.
untranslated() {
  conntrack -L -d "$1" 2>/dev/null | awk '{
    n = 0
    for (i = 1; i <= NF; i++) if ($i ~ /^(src|dst)=/) at[++n] = substr($i, 5)
    if (at[2] == at[3]) print at[2]
  }' | sort -u
}
passes=20
while found=$(untranslated "$1") && [ -n "$found" ] && [ $passes -gt 0 ]; do
  for ip in $found; do conntrack -D -d "$ip" -r "$ip" >/dev/null 2>&1 || :; done
  passes=$((passes-1))
done
true
