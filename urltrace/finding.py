"""What a rule finds in the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from urltrace.evidence import Answer
from urltrace.exchange import Exchange

Hop = Literal["name", "edge", "link", "node", "traefik", "service", "pod", "control"]
HOPS: tuple[Hop, ...] = ("name", "edge", "link", "node", "traefik", "service", "pod", "control")
TITLES: dict[Hop, str] = {
    "name": "the name",
    "edge": "the edge's program",
    "link": "the way from the edge to the node",
    "node": "the node's port",
    "traefik": "Traefik",
    "service": "the Service",
    "pod": "the pod",
    "control": "the control plane",
}
LINE = 300  # characters of evidence that are shown


@dataclass(frozen=True)
class Proof:
    """A line of what a question came to."""

    location: str
    question: str
    line: str

    def __str__(self) -> str:
        return f"{self.location}, {self.question}: {self.line}"


@dataclass(frozen=True)
class Finding:
    """A fault. cause: a short name that never changes, for programs. where: the host, object or file that is wrong.

    do: a command or a line to write. latent: it is wrong, and does not explain this answer.
    """

    hop: Hop
    cause: str
    where: str
    sentence: str
    do: str
    proof: tuple[Proof, ...] = ()
    latent: bool = False


@dataclass(frozen=True)
class Cleared:
    """Why a hop is not at fault."""

    hop: Hop
    because: str


def proof(answer: Answer | None, line: str = "") -> tuple[Proof, ...]:
    """A line of an answer as evidence; its first line when none is named."""
    if answer is None:
        return ()
    shown = line or next(iter((answer.output or answer.errors).splitlines()), "no output")
    return (Proof(answer.location, answer.question, shown[:LINE]),)


def proof_of(found: Exchange | None) -> tuple[Proof, ...]:
    """A request and what came of it, as evidence."""
    return proof(found.answer, str(found)) if found else ()
