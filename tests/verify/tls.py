"""A handshake as an outsider has it: curl says what the edge showed, and whether its chain leads to a trusted CA."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provision.remote.shell import quote
from roles import _edge_tls
from roles._edge_sites import ServedName, served_names
from roles._given import certificates

if TYPE_CHECKING:
    from provision.verify.checks import Node
    from provision.verify.commands import Answer
    from roles._site import SiteSettings
    from roles.edge import Settings

OLD = ("--ciphers", "DEFAULT@SECLEVEL=0", "--tlsv1.0", "--tls-max", "1.1")  # what no edge of ours accepts


@dataclass(frozen=True)
class Handshake:
    """What curl told of one."""

    answer: Answer

    @property
    def trusted(self) -> bool:
        """Whether it came to a request: curl goes no further with a chain or a name that it doesn't accept."""
        return self.answer.ok

    @property
    def ends(self) -> datetime | None:
        """Until when the certificate is valid that was shown; None where none was."""
        found = re.search(r"expire date: (.+) GMT", self.answer.output)
        return datetime.strptime(found[1], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC) if found else None

    @property
    def http2(self) -> bool:
        """Whether both agreed on HTTP/2."""
        return "server accepted h2" in self.answer.output or "server accepted to use h2" in self.answer.output

    def __str__(self) -> str:
        """curl's own error, the last that it printed."""
        errors = [line for line in self.answer.output.splitlines() if line.startswith("curl: ")]
        return errors[-1] if errors else f"exit code {self.answer.code}"


def handshake(name: str, address: str, authority: str = "", options: Sequence[str] = ()) -> str:
    """The command that asks for a name of the edge at an address. authority: whom to trust, PEM; '': as the system."""
    words = " ".join(map(quote, ("--connect-to", f"::{address}:", *options, f"https://{name}/")))
    trust = f"--cacert /dev/stdin {words} 2>&1 <<'END'\n{authority}\nEND" if authority else f"{words} 2>&1"
    return f"curl -sSv -o /dev/null --noproxy '*' -m 4 {trust}"


def trusted_by_clients(node: Node, site: SiteSettings, settings: Settings) -> str:
    """The CAs that clients are meant to trust, PEM; '' for those that every system does."""
    tls = settings.tls
    ordered = _edge_tls.ordered(node.host, site, tls, settings.sites)
    if tls.source == "own" or (tls.source == "acme" and not ordered):
        return _edge_tls.store(node.host.inventory, site).known(f"ca-{site.domain}").decode()
    if not settings.tls.authority:
        return ""
    found = certificates(node.host, ("edge", "tls", "authority"), settings.tls.authority)
    return "".join(_edge_tls.pem(each).decode() for each in found)


def names(node: Node, site: SiteSettings, settings: Settings) -> dict[str, ServedName]:
    """A name to ask for -> the entry of the edge that serves it."""
    found = served_names(node.host, site, settings.tls, settings.sites)
    return {each.name.replace("*", "traefik", 1): each for each in found}
