# Prints `NAME VERSION` of each API server ("$@": NAME URL ...), '-' for one that does not answer; nothing where the unit
# in $UNIT runs $VERSION already. /version answers strangers: RBAC's system:public-info-viewer.
grep -qs "^command=.*-v$VERSION/" "$UNIT" && exit 0
while [ $# -gt 1 ]; do
  found=$(curl -sk -m 2 "$2/version" | sed -n 's/.*"gitVersion": *"v\([0-9.]*\).*/\1/p')
  echo "$1 ${found:--}"
  shift 2
done
