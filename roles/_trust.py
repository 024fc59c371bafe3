"""The CAs that a host trusts: put there once, and never replaced by others without a person's word (pki.rotate)."""

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


class TooEarlyError(FailedError):
    """A host has missed a step of the CA's replacement, so exit 4."""

    exit = Exit.BAD_INPUT


@dataclass(frozen=True, kw_only=True)
class TrustedAuthority(File):
    """The certificates of the site's CAs on a host. One of another CA there is an error that no deploy may fix: the
    host would be torn out of its cluster.

    known: the CAs, PEM, even while a deploy has yet to make another one. in_use: where the certificates lie by which
    programs run now, if that is another version's place.
    introduced: a CA, PEM, that an earlier deploy has to have put there, because certificates are issued by it now.
    """

    known: bytes = b""
    in_use: str = ""
    introduced: bytes = b""

    def questions(self) -> tuple[Question, ...]:
        return (*super().questions(), *map(ContentQuestion, self._places))

    @property
    def _places(self) -> tuple[str, ...]:
        return (self.in_use, self.path) if self.in_use else (self.path,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        there = next(filter(None, (fingerprints(answers[ContentQuestion(place)]) for place in self._places)), ())
        ours, needed = fingerprints(self.known.decode()), fingerprints(self.introduced.decode())
        if there and not set(there) & set(ours):
            raise self._foreign(there[0], ours[0] if ours else "there is none yet")
        if there and not set(needed) <= set(there):
            raise TooEarlyError(
                f"the host does not trust the next CA yet ({self._places[0]}): nothing was changed",
                found=f"The site's certificates are now issued by {needed[0]}, there is {', '.join(there)}",
                do="Set pki.rotate to 'trust' and deploy to all hosts first: docs/certificates.md",
            )
        return super().compare(answers, changed_dependencies)

    def _foreign(self, there: str, ours: str) -> ForeignAuthorityError:
        return ForeignAuthorityError(
            f"the host holds the certificate of another CA ({self._places[0]}): nothing was changed",
            found=f"There it is {there}, in the site's pki folder {ours}",
            do="If the host belongs to another cluster, take it out of the inventory; if the pki folder is not the "
            "one that it was deployed from, name that one with site.pki; to move the host over for good, remove "
            f"{self._places[0].rpartition('/')[0]} on it first",
        )


def fingerprints(pem: str) -> tuple[str, ...]:
    """SHA-256 of each certificate, as `openssl x509 -fingerprint -sha256` prints it."""
    return tuple(_fingerprint(block) for block in _PEM.findall(pem))


def _fingerprint(block: str) -> str:
    digest = hashlib.sha256(base64.b64decode(block)).hexdigest().upper()
    return "SHA256:" + ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
