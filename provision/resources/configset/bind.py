"""How BIND takes in a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from provision.remote.shell import Scripts
from provision.resources.configset.activation import Activation

_SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class Bind(Activation):
    """`named-checkconf -z` on the staged tree, reload, and proof that zones are served and others' names are found.

    Serials are the host's: a zone file has no SOA, it includes NAME.soa, which is written beside it when the set is
    made. A changed zone gets the date and a counter as is the custom (YYYYMMDDnn), and always more than it had; an
    unchanged zone keeps its own, so a run with nothing to do has nothing to write. ttl: seconds that a resolver may
    remember that a name does not exist (the SOA's last field): the course's day would hide a new name for as long.
    foreign: what to do where the names of others are found but fail the check of their signatures, as behind a
    forwarder that does not pass these on (`dig` is needed to ask); '' not to ask.
    """

    zones: tuple[str, ...]
    service: str = "named"
    ttl: int = 60
    foreign: str = ""

    def complete(self) -> str:
        return _SCRIPTS.call("bind_serials", *self.zones, TTL=str(self.ttl))

    def completes(self, name: str) -> bool:
        return name.endswith(".soa")

    def validate(self) -> str:
        return _SCRIPTS.call("bind_validate")

    def activate(self) -> str:
        return _SCRIPTS.call("bind_activate", *self.zones, SERVICE=self.service, FOREIGN=self.foreign)
