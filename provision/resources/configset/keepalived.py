"""How keepalived takes in a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from provision.remote.shell import Scripts
from provision.resources.configset.activation import Activation

_SCRIPTS = Scripts(__file__)
HOST_FILE = "host.conf"


@dataclass(frozen=True)
class Keepalived(Activation):
    """`keepalived -t` on the staged tree, reload, and proof that the new configuration runs.

    A reload returns 0 whatever keepalived makes of the file. The proof comes from the script that it tracks: the set
    hands it the name of the release, and it writes that name to `runs` each time it is called.

    own: this host's address on the network of the virtual one. The set gets host.conf, which names what only the host
    knows: $LINK, the interface with that address, and $RELEASE. The main file includes it: `include site/host.conf`.
    """

    own: str
    runs: str
    service: str = "keepalived"

    def complete(self) -> str:
        return _SCRIPTS.call("keepalived_host", OWN=self.own, HOST_FILE=HOST_FILE)

    def completes(self, name: str) -> bool:
        return name == HOST_FILE

    def validate(self) -> str:
        return _SCRIPTS.call("keepalived_validate")

    def activate(self) -> str:
        return _SCRIPTS.call("keepalived_activate", SERVICE=self.service, RUNS=self.runs)
