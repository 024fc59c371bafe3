"""How BIND takes in a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from provision.remote.shell import words
from provision.resources.configset.activation import Activation


@dataclass(frozen=True)
class Bind(Activation):
    """`named-checkconf -z` on the staged tree, reload, and proof that every zone is served with its serial.

    Serials are the host's: a zone file has no SOA, it includes NAME.soa, which is written beside it when the set is
    made. A changed zone gets the date and a counter as is the custom (YYYYMMDDnn), and always more than it had; an
    unchanged zone keeps its own, so a run with nothing to do has nothing to write. ttl: seconds that a resolver may
    remember that a name does not exist (the SOA's last field): the course's day would hide a new name for as long.
    """

    zones: tuple[str, ...]
    service: str = "named"
    ttl: int = 60

    def complete(self, new: str, now: str) -> str:
        return f"""  set -eu
  for zone in {words(self.zones)}; do
    was=$(sed -n 's/.*(\\([0-9]*\\) .*/\\1/p' {now}/zones/$zone.soa 2>/dev/null) || was=
    if [ -n "$was" ] && cmp -s {now}/zones/$zone.zone {new}/zones/$zone.zone; then
      serial=$was
    else
      serial=$(date -u +%Y%m%d01)
      [ "$serial" -gt "${{was:-0}}" ] || serial=$((was+1))
    fi
    echo "@ IN SOA dns dnsadmin ($serial 10800 900 604800 {self.ttl})" >{new}/zones/$zone.soa
  done"""

    def completes(self, name: str) -> bool:
        return name.endswith(".soa")

    def validate(self, staged: str) -> str:
        # BIND's paths are absolute, so in the staged copy they are made to lead into it
        return (
            f'find . -type f -exec sed -i "s|/etc/bind/site/|{staged}/|g; s|/etc/bind/|{staged}/|g" {{}} + && '
            f'o=$(named-checkconf -z "{staged}/named.conf" 2>&1) || '
            '{ printf "%s\\n" "$o" | grep -v "loaded serial" >&2; false; }'
        )

    def activate(self) -> str:
        return f"""  set -u
  if systemctl is-active -q {self.service}; then rndc reload >/dev/null || exit 1
  else systemctl restart {self.service} || {{ journalctl -u {self.service} -n 10 --no-pager -o cat >&2; exit 1; }}; fi
  for zone in {words(self.zones)}; do
    want=$(sed -n 's/.*(\\([0-9]*\\) .*/\\1/p' site/zones/$zone.soa)
    n=50
    until rndc zonestatus $zone 2>/dev/null | grep -q "^serial: $want$"; do
      n=$((n-1))
      [ $n -gt 0 ] || {{ echo "bind does not serve $zone with serial $want:" >&2
        journalctl -u {self.service} -n 10 --no-pager -o cat >&2; exit 1; }}
      sleep 0.1
    done
  done"""
