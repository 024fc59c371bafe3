"""The proofs in the dynamic zone of every host that is asked for the site's names, by updates sent over SSH.

nsupdate runs on the host itself (RFC 2136) and signs with the key that named makes at each start and keeps from
everybody but root: no key of the zone is ever on the controller or in the inventory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from provision.errors import FailedError, ProvisionError
from provision.remote.host import RemoteHost
from provision.remote.protocol import Step
from provision.remote.shell import Scripts
from provision.usage import usage
from roles._acme import CHALLENGE, TTL, zone

SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class DnsRecords:
    """hosts: all that serve the site's zone."""

    hosts: Sequence[RemoteHost]
    domain: str

    @contextmanager
    def put(self, proofs: Mapping[str, Sequence[str]]) -> Iterator[None]:
        """TXT records, found as an ACME server asks for them. Raises FailedError, UnreachableError."""
        with ExitStack() as stack:
            for host in self.hosts:
                stack.callback(self._take_away, host, tuple(proofs))
                self._update(host, update(self.domain, proofs))
                self._look(host, proofs)
            yield

    def _update(self, host: RemoteHost, commands: str) -> None:
        # -4: BIND listens on 127.0.0.1, and an nsupdate that was refused on ::1 sends its second try without the zone
        result = host.session().run(Step("nsupdate -4 -l", commands.encode()))
        if result.code:
            raise FailedError(
                f"BIND took no update of {zone(self.domain)}",
                host=host.name,
                found=_last(result.errors or result.output),
                do=f"Deploy the names first: {usage('deploy --tags bind')}",
            )

    def _look(self, host: RemoteHost, proofs: Mapping[str, Sequence[str]]) -> None:
        """Before the server is: it counts what it does not find, and asks by the challenge's own name."""
        for name, texts in proofs.items():
            asked = challenge_of(name, self.domain)
            found = host.session().run(Step(SCRIPTS.call("proof", asked, name))).output
            lines = found.splitlines()
            if not {f"{name}.", *(f'"{text}"' for text in texts)} <= set(lines):
                raise FailedError(
                    f"{asked} does not lead to {name}",
                    host=host.name,
                    found=f"BIND answers {' '.join(lines)}" if lines else "BIND has no such record",
                    do=f"Deploy the names first: {usage('deploy --tags bind')}",
                )

    def _take_away(self, host: RemoteHost, names: Sequence[str]) -> None:
        """Left behind, a proof is worth nothing: no failure of this hides how the order ended."""
        with suppress(ProvisionError):
            self._update(host, update(self.domain, dict.fromkeys(names, ())))


def update(domain: str, proofs: Mapping[str, Sequence[str]]) -> str:
    """What nsupdate reads: these records in place of those that their names had."""
    lines = [f"zone {zone(domain)}."]
    for name, texts in proofs.items():
        lines += [f"update delete {name}. TXT", *(f'update add {name}. {TTL} TXT "{text}"' for text in texts)]
    return "\n".join((*lines, "send", ""))


def challenge_of(name: str, domain: str) -> str:
    """By what name an ACME server asks for the proof at `name`."""
    return f"{CHALLENGE}.{name.removesuffix(zone(domain))}{domain}"


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nsupdate said nothing"
