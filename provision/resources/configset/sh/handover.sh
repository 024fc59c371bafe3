# Says in a plan that the program of the unit OTHER goes first. Requires serves.sh.
! serves "$OTHER" || echo "$OTHER closes its ports first: clients of this host are refused for about 1 s"
