# Prints: what keepalived is, what the tracked file says, whether this host has the address, whether some host answers.
printf '%s %s ' "$(state)" "$(handed_over)"
if holds; then printf '1 '; else printf '0 '; fi
if answers; then echo 1; else echo 0; fi
