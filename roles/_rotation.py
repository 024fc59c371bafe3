"""The replacement of the site's CAs, in three deploys: trust the next one too, issue by it, distrust the old one.

While it goes on, the next CA lies beside the old one in the pki folder: ca-next.pem, ca-next-key.pem. The deploy that
distrusts the old one puts the next one in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import InputError

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory


class Phase(StrEnum):
    """How far the replacement is: what the next deploy is to do."""

    NONE = ""
    TRUST = "trust"
    ISSUE = "issue"
    DISTRUST = "distrust"


def phase_of(inventory: Inventory) -> Phase:
    """The site's `pki.rotate`, as the first host has it."""
    return _phase(inventory.hosts[0])


def check_same(inventory: Inventory) -> None:
    """Raises InputError where hosts have different values of `pki.rotate`."""
    first, *others = inventory.hosts
    for host in others:
        if _phase(host) is not _phase(first):
            raise InputError(
                "pki.rotate is not the same for all hosts: a CA is replaced on the whole site",
                host=host.name,
                line=host.origin("pki", "rotate") or first.origin("pki", "rotate"),
                do="Set it in group_vars/all.yml",
            )


def _phase(host: Host) -> Phase:
    """A value that is none is role pki's to explain."""
    settings = host.scope.value("pki") if "pki" in host.vars else None
    written = settings.get("rotate") if isinstance(settings, Mapping) else None
    return Phase(str(written)) if written in tuple(Phase) else Phase.NONE


def next_name(authority: str) -> str:
    """The file of the CA that follows this one, without .pem."""
    return f"{authority}-next"


def not_begun(directory: Path, authority: str) -> InputError:
    """Certificates are to be issued by a CA that no host trusts yet."""
    return InputError(
        "pki.rotate is 'issue', but there is no next CA to issue by",
        found=f"{directory / next_name(authority)}.pem is not there",
        do="Set pki.rotate to 'trust' and deploy to all hosts first, or take the setting out: docs/certificates.md",
    )


def under_way(directory: Path, authority: str) -> InputError:
    """The setting went while there are two CAs."""
    found = directory / f"{next_name(authority)}.pem"
    return InputError(
        "pki.rotate is not set, but the replacement of the CA has begun",
        found=f"{found} is there",
        do="Go on with 'trust', 'issue' or 'distrust', whichever was deployed last: docs/certificates.md. To give it "
        f"up after 'trust', remove {found.stem}.pem and {found.stem}-key.pem",
    )


def not_issued(directory: Path, names: list[str]) -> InputError:
    """The old CA would be distrusted while certificates of it are in use."""
    return InputError(
        "pki.rotate is 'distrust', but not every certificate is of the next CA yet",
        found=f"In {directory}: {', '.join(names)}",
        do="Set pki.rotate to 'issue' and deploy to all hosts first: docs/certificates.md",
    )
