# Prints part number $3 (from 0) of the file $1 as base64; a part has $2 bytes.
dd if="$1" bs="$2" skip="$3" count=1 iflag=fullblock status=none | base64 -w 0
