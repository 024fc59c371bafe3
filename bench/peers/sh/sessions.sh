# Prints what sshd has logged.
journalctl --sync && journalctl -u ssh -o cat --no-pager
