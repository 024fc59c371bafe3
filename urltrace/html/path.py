"""The drawing of the path: its boxes, their states, and the lines between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from urltrace.exchange import Exchange
from urltrace.finding import Cleared, Finding, Hop
from urltrace.verdict import CLEARING, Verdict
from urltrace.view import View

State = Literal["right", "wrong", "unknown"]
WIDTH, HEIGHT, GAP, ROW = 440, 48, 10, 64
PER_NODE: tuple[Hop, ...] = ("link", "node", "traefik")


@dataclass(frozen=True)
class Box:
    """One place of the path. hop: what a click on it opens. note: what is written below the title."""

    hop: Hop
    title: str
    note: str
    state: State
    x: int
    y: int
    width: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def room(self) -> int:
        """How many letters of the note fit."""
        return self.width // 7 - 2


@dataclass(frozen=True)
class Drawing:
    """height: of all of it."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[int, int, int, int], ...]
    height: int


def drawn(view: View, verdict: Verdict) -> Drawing:
    """The path from the name to the pods, each node in a column of its own."""
    rows = list(_rows(view, verdict))
    boxes: list[Box] = []
    lines: list[tuple[int, int, int, int]] = []
    above: list[Box] = []
    for number, row in enumerate(rows):
        width = (WIDTH - GAP * (len(row) - 1)) // len(row)
        placed = [
            Box(hop, title, note, state, place * (width + GAP), number * ROW, width)
            for place, (hop, title, note, state) in enumerate(row)
        ]
        boxes += placed
        lines += _between(above, placed)
        above = placed
    return Drawing(tuple(boxes), tuple(lines), len(rows) * ROW - (ROW - HEIGHT))


Cell = tuple[Hop, str, str, State]


def _rows(view: View, verdict: Verdict) -> Iterator[list[Cell]]:
    cleared = {one.hop: one for clear in CLEARING if (one := clear(view))}
    wrong = [one for one in verdict.findings if not one.latent]

    def whole(hop: Hop, title: str, note: str) -> Cell:
        return hop, title, note, _state(hop, wrong, cleared)

    yield [whole("name", view.request.name, ", ".join(_said(view, "name")))]
    yield [whole("edge", edge.name, edge.address) for edge in view.site.edges] or [whole("edge", "edge", "")]
    for hop in PER_NODE:
        cells = [_of_node(view, hop, node.name, wrong) for node in view.site.nodes]
        if cells:
            yield cells
    yield [whole("service", "Service", _said_by(cleared.get("service")))]
    yield [whole("pod", "pods", _said_by(cleared.get("pod"))), whole("control", "control plane", "")]


def _of_node(view: View, hop: Hop, name: str, wrong: Iterable[Finding]) -> Cell:
    node = next(one for one in view.site.nodes if one.name == name)
    found: dict[Hop, tuple[str, tuple[Exchange, ...]]] = {
        "link": (f"→ {view.node_target(node)}", view.from_edges(node)),
        "node": (f"{name} :{view.site.traefik_port}", tuple(filter(None, (view.on_node(node),)))),
        "traefik": (f"Traefik, {name}", view.exchanges("traefik", name)),
    }
    title, exchanges = found[hop]
    named = [one for one in wrong if one.hop == hop]
    said = " ".join(f"{one.where} {one.sentence}" for one in named)
    if named and (name in said or not any(other.name in said for other in view.site.nodes)):
        state: State = "wrong"
    else:
        state = "right" if exchanges and all(one.outcome == "answered" for one in exchanges) else "unknown"
    return hop, title, str(exchanges[0]) if exchanges else "", state


def _state(hop: Hop, wrong: Iterable[Finding], cleared: dict[Hop, Cleared]) -> State:
    if any(one.hop == hop for one in wrong):
        return "wrong"
    return "right" if hop in cleared else "unknown"


def _said(view: View, kind: str) -> list[str]:
    return [str(one) for one in view.exchanges(kind)]


def _said_by(one: Cleared | None) -> str:
    return one.because if one else ""


def _between(above: Iterable[Box], below: Iterable[Box]) -> Iterator[tuple[int, int, int, int]]:
    """Every box to every box, or each to its own where there are as many."""
    first, second = list(above), list(below)
    pairs = zip(first, second, strict=True) if len(first) == len(second) else ((a, b) for a in first for b in second)
    for one, other in pairs:
        yield one.middle, one.y + HEIGHT, other.middle, other.y
