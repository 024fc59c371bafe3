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
    """What an inventory is loaded from, and the lab that its hosts live in, if they do."""

    opened: tuple[Source, ...]
    extra_vars: tuple[str, ...] = ()
    lab: Lab | None = None

    def check_up(self) -> None:
        """Raises UnreachableError when the hosts live in a lab that is down: asked once, not by every host."""
        if self.lab and self.lab.daemon_process() is None:
            raise UnreachableError(
                f"the lab {self.lab.name} is not up", do=f"Start it: {usage(f'lab.up{self.lab.option}')}"
            )


def completed(
    paths: Sequence[Path],
    name: str | None,
    extra_vars: Sequence[str],
    vault: Vault | None = None,
    *,
    programs: bool = False,
) -> Sources:
    """The sources with the lab's facts, where a lab is meant: by its `name`, or because a host is dialled in one.

    programs: run the inventories that are programs, which are refused otherwise.
    Placeholders stand for what a lab that is down has not served yet: enough to compile every role.
    """
    here, vault = Path.cwd(), vault or Vault()
    opened = tuple(open_source(path, here, vault, programs=programs) for path in paths)
    if name is None and not _dials(opened):
        return Sources(opened, tuple(extra_vars))
    lab = Lab.named(name or "main")
    written = lab.inventory.exists()
    whole = written and facts.renew(lab)
    stand_in = () if whole or lab.daemon_process() else (json.dumps(placeholders()),)
    own = (open_source(lab.inventory, here, vault),) if written else ()
    return Sources((*opened, *own), (*stand_in, *extra_vars), lab)


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


def _dials(opened: Sequence[Source]) -> bool:
    return any(host.access.dial.startswith(DIAL) for host in Inventory.load(opened).hosts_with(*DIALLERS))
