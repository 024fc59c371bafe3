# Prints what stands at the path $1, then its content: only what every user may read is copied anywhere.
find "$1" -maxdepth 0 -printf '%y\t%m\t%u\t%g\t%s\t%l\n' 2>/dev/null
! { [ -f "$1" ] && [ ! -L "$1" ] && [ -n "$(find "$1" -maxdepth 0 -perm -004)" ]; } || cat "$1"
