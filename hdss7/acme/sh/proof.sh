# Prints where this host's own BIND leads the challenge $1, and the texts at $2. In two questions, as a resolver asks:
# without recursion BIND follows no name into another of its zones.
dig +short +time=5 +tries=2 CNAME "$1." @127.0.0.1
dig +short +time=5 +tries=2 TXT "$2." @127.0.0.1
