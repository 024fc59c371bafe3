# serves UNIT: whether its program listens. One that is ending does not, while its unit is active until the last connection.
listens() { ss -Hltnp | grep -q "\"$1\""; }
serves() { systemctl is-active -q "$1" && listens "$1"; }
