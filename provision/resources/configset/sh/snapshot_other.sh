# Says first whether the program of the unit OTHER serves, in place of the one that reads the set. Requires serves.sh.
! serves "$OTHER" || printf 'serves\t%s\n' "$OTHER"
