"""The CA that a host trusts: put there once, and never replaced by another without a person's word."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from provision.errors import Exit, FailedError
from provision.facts.host import ContentQuestion
from provision.facts.question import Answers, Question
from provision.resources import Change, File, Unknown

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


class ForeignAuthorityError(FailedError):
    """The host trusts another CA than the site's: an inventory or pki folder that can't be right, so exit 4."""

    exit = Exit.BAD_INPUT


@dataclass(frozen=True, kw_only=True)
class TrustedAuthority(File):
    """A CA's certificate on a host. One of another CA there is an error that no deploy may fix: the host would be
    torn out of its cluster.

    in_use: where the certificate lies by which programs run now, if that is another version's place.
    """

    in_use: str = ""

    def questions(self) -> tuple[Question, ...]:
        return (*super().questions(), *map(ContentQuestion, self._places))

    @property
    def _places(self) -> tuple[str, ...]:
        return (self.in_use, self.path) if self.in_use else (self.path,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        there = next(filter(None, (fingerprint(answers[ContentQuestion(place)]) for place in self._places)), "")
        ours = fingerprint(self.content.decode()) if isinstance(self.content, bytes) else ""
        if there and there != ours:
            raise ForeignAuthorityError(
                f"the host holds the certificate of another CA ({self._places[0]}): nothing was changed",
                found=f"There it is {there}, in the site's pki folder {ours or 'there is none yet'}",
                do="If the host belongs to another cluster, take it out of the inventory; if the pki folder is not the "
                "one that it was deployed from, name that one with site.pki; to move the host over for good, remove "
                f"{self._places[0].rpartition('/')[0]} on it first",
            )
        return super().compare(answers, changed_dependencies)


def fingerprint(pem: str) -> str:
    """SHA-256 of the first certificate, as `openssl x509 -fingerprint -sha256` prints it; '' when there is none."""
    match = _PEM.search(pem)
    if not match:
        return ""
    digest = hashlib.sha256(base64.b64decode(match[1])).hexdigest().upper()
    return "SHA256:" + ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
