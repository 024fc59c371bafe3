"""Asks every place at once; what could not be asked is written down as that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

from provision.errors import ProvisionError
from provision.facts.question import Question
from urltrace.ask.question import TraceQuestion
from urltrace.evidence import OUTSIDE, Answer, Evidence, Host, Site, Unasked
from urltrace.redact import Redactor
from urltrace.request import Request


class Location(Protocol):
    """A place that answers questions in one exec. Raises ProvisionError when it can't be reached."""

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]: ...


def questions(site: Site, request: Request, token: str, kubectl: str) -> tuple[TraceQuestion, ...]:
    """One question for each host of the path, and one for the outside."""
    places: dict[Host, list[str]] = {}
    for place, hosts in (("edge", site.edges), ("node", site.nodes), ("master", site.masters)):
        for host in hosts:
            places.setdefault(host, []).append(place)
    asked = [
        TraceQuestion(
            location=host.name,
            places=tuple(held),
            request=request,
            site=site,
            token=token,
            own=f"{host.address}:{site.traefik_port}",
            neighbour=_neighbour(host, site),
            kubectl=kubectl,
        )
        for host, held in places.items()
    ]
    return TraceQuestion(OUTSIDE, ("outside",), request, site, token), *asked


def gather(asked: Sequence[TraceQuestion], locations: Mapping[str, Location], redactor: Redactor) -> Evidence:
    """The evidence. Every location is asked at the same time, in one exec."""
    first = asked[0]

    def one(question: TraceQuestion) -> tuple[Answer, ...] | Unasked:
        try:
            answers: tuple[Answer, ...] = locations[question.location].answers([question])[question]
            return tuple(redactor.answer(answer) for answer in answers)
        except ProvisionError as error:
            return Unasked(question.location, error.explanation.found or error.explanation.what)

    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(one, asked))
    answers = tuple(answer for part in found if not isinstance(part, Unasked) for answer in part)
    return Evidence(
        sent=redactor.sent(first.request),
        site=first.site,
        answers=tuple(_once(answers)),
        unasked=tuple(part for part in found if isinstance(part, Unasked)),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _neighbour(host: Host, site: Site) -> str:
    """The port of the next node: what an edge does not reach, a node may."""
    if host not in site.nodes or len(site.nodes) < 2:
        return ""
    following = site.nodes[(site.nodes.index(host) + 1) % len(site.nodes)]
    return f"{following.address}:{site.traefik_port}"


def _once(answers: Iterable[Answer]) -> Iterator[Answer]:
    """What every master says of the API's objects is kept once."""
    known = False
    for answer in answers:
        held = answer.question == "objects" and answer.code == 0
        if not (held and known):
            yield answer
        known = known or held
