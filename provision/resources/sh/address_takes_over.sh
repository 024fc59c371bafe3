# Succeeds where this host would take the address at once.
[ "$(handed_over)" = 0 ] && ready
