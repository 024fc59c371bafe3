"""All that was asked about one URL, as one document: who was asked what, and what came back.

A trace is judged from this document alone, so that a saved one gives the same verdict. What is secret is taken out
before an answer gets in (redact.py), never afterwards.
"""

from __future__ import annotations

import gzip
import zlib
from functools import cached_property

import msgspec

from provision.decoding import decode
from provision.errors import InputError
from urltrace.request import Request

VERSION = 1
GZIP = b"\x1f\x8b"
OUTSIDE = "outside"  # the location that clients stand for: no host of the site


class Host(msgspec.Struct, frozen=True):
    """A host of the inventory."""

    name: str
    address: str


class Site(msgspec.Struct, frozen=True):
    """How requests are meant to go, from the inventory.

    vip: where names point to; '' when the first edge has it. cluster_dns: the address that pods ask for names; '' when
    it is not known. api: where hosts reach the API servers, ADDRESS:PORT; '' when it is not known. certificates: their
    folders on hosts.
    """

    domain: str
    edges: tuple[Host, ...] = ()
    nodes: tuple[Host, ...] = ()
    masters: tuple[Host, ...] = ()
    dns: tuple[Host, ...] = ()
    vip: str = ""
    traefik_port: int = 81
    cluster_dns: str = ""
    api: str = ""
    certificates: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host, once."""
        return tuple(dict.fromkeys((*self.edges, *self.nodes, *self.masters, *self.dns)))

    @property
    def entry(self) -> str:
        """The address that names of the site should have."""
        return self.vip or (self.edges[0].address if self.edges else "")


class Answer(msgspec.Struct, frozen=True):
    """What one small question came to. question: its name and what it is about, as in 'http node 10.4.7.21:81'.

    code: the command's exit code. errors: what it complained about.
    """

    question: str
    location: str
    output: str = ""
    code: int = 0
    errors: str = ""


class Unasked(msgspec.Struct, frozen=True):
    """A location that could not be asked, and why. What it would have said is unknown, not bad."""

    location: str
    why: str


class Evidence(msgspec.Struct, frozen=True, dict=True):
    """The document.

    sent: the request without what may be secret: values are digests, equal where the values are. client: the host that
    asked as clients do, '' for the outside.
    """

    sent: Request
    site: Site
    answers: tuple[Answer, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    at: str = ""
    client: str = ""
    version: int = VERSION

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Answer]:
        return {(answer.question, answer.location): answer for answer in self.answers}

    def answer(self, question: str, location: str) -> Answer | None:
        """What came back; None when it was not asked there."""
        return self._by_key.get((question, location))

    def about(self, prefix: str, location: str = "") -> tuple[Answer, ...]:
        """Every answer whose question begins so, from one location or from all."""
        return tuple(
            answer
            for answer in self.answers
            if answer.question.startswith(prefix) and (not location or answer.location == location)
        )


def dump(evidence: Evidence) -> bytes:
    """The document as JSON."""
    return msgspec.json.format(msgspec.json.encode(evidence), indent=1)


def load(text: bytes, name: str = "the bundle") -> Evidence:
    """The document out of what `dump` wrote, packed by gzip or not. Raises InputError, exit 4."""
    try:
        text = gzip.decompress(text) if text.startswith(GZIP) else text
        version = decode(text, _Versioned).version
        if version != VERSION:
            raise InputError(
                f"{name} is a bundle of version {version}",
                found=f"this program reads version {VERSION}",
                do="Replay it with the program that saved it.",
            )
        held = decode(text, Evidence)
    except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name} is no bundle of a trace", found=str(error), do="Give a file of --save.") from None
    if not held.answers and not held.unasked:
        raise InputError(f"{name} holds no answers", found="nobody was asked", do="Give a file of --save.")
    return held


class _Versioned(msgspec.Struct):
    version: int
