"""What an inventory whose hosts live in a lab still lacks: the lab's own facts, as one more source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import facts
from lab.state import Lab
from lab.suites import apt_repository
from provision.errors import UnreachableError
from provision.inventory import Inventory
from provision.inventory.access import DIALLERS
from provision.inventory.sources import Source, open_source
from provision.inventory.vault import Vault
from provision.usage import usage

DIAL = "lab.network:dial"
NO_SUM = "0" * 64
COMMANDS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
IMAGES = ("pause", "coredns", "traefik", "nginx", "agnhost", "websocket")


@dataclass(frozen=True)
class Sources:
    """What an inventory is loaded from whose hosts live in a lab."""

    opened: tuple[Source, ...]
    lab: Lab
    extra_vars: tuple[str, ...] = ()

    def check_up(self) -> None:
        """Raises UnreachableError when the lab is down: asked once, not by every host."""
        if self.lab.daemon_process() is None:
            raise UnreachableError(
                f"the lab {self.lab.name} is not up", do=f"Start it: {usage(f'lab.up{self.lab.option}')}"
            )


def dials(inventory: Inventory) -> bool:
    """Whether one of its hosts lives in a lab. Raises InputError for a dialler that can't be meant."""
    return any(host.access.dial.startswith(DIAL) for host in inventory.hosts_with(*DIALLERS))


def completed(
    opened: Sequence[Source], name: str | None, extra_vars: Sequence[str], vault: Vault | None = None
) -> Sources:
    """The sources with the facts of the lab of that `name`, or of the usual one.

    Placeholders stand for what a lab that is down has not served yet: enough to compile every role.
    """
    lab = Lab.named(name or "main")
    written = lab.inventory.exists()
    whole = written and facts.renew(lab)
    stand_in = () if whole or lab.daemon_process() else (json.dumps(placeholders()),)
    own = (open_source(lab.inventory, Path.cwd(), vault or Vault()),) if written else ()
    return Sources((*opened, *own), lab, (*stand_in, *extra_vars))


def placeholders() -> dict[str, Any]:
    """What a lab's ops host will serve, with checksums that no file has."""
    url = "http://10.4.7.200"
    return {
        "ops_url": url,
        "apt_repository": apt_repository(url),
        "binaries": {name: {"url": f"{url}/bin/{name}", "sha256": NO_SUM} for name in COMMANDS},
        "images": {
            name: {"url": f"{url}/images/{name}.tar", "sha256": NO_SUM, "name": f"lab.local/{name}:0"}
            for name in IMAGES
        },
    }
