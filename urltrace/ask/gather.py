"""Asks every place at once; what could not be asked is written down as that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import MappingProxyType
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


def questions(
    site: Site,
    request: Request,
    token: str,
    kubectl: str,
    besides: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType({}),
) -> tuple[TraceQuestion, ...]:
    """One question for each host of the path, and one for the outside. besides: what hosts are asked more, by name."""
    places: dict[Host, list[str]] = {}
    # the first two wait for nothing, so that what the others wait for delays no question
    for place, hosts in (
        ("dns_host", site.dns),
        ("master", site.masters),
        ("edge", site.edges),
        ("node", site.nodes),
    ):
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
            kubectl=kubectl,
            besides=besides.get(host.name, ()),
        )
        for host, held in places.items()
    ]
    return TraceQuestion(OUTSIDE, ("outside",), request, site, token), *asked


def gather(
    asked: Sequence[TraceQuestion], locations: Mapping[str, Location], redactor: Redactor, client: str = ""
) -> Evidence:
    """The evidence. Every location is asked at the same time, in one exec. client: the host that asks as clients do."""
    first = asked[0]
    places: dict[str, list[TraceQuestion]] = {}
    for question in asked:
        places.setdefault(client if client and question.location == OUTSIDE else question.location, []).append(question)

    def one(place: str) -> list[Answer] | list[Unasked]:
        try:
            found = locations[place].answers(places[place])
            return [answer for question in places[place] for answer in found[question]]
        except ProvisionError as error:
            why = error.explanation.found or error.explanation.what
            return [Unasked(question.location, why) for question in places[place]]

    with ThreadPoolExecutor(len(places)) as pool:
        found = [part for parts in pool.map(one, places) for part in parts]
    answers = _once(part for part in found if isinstance(part, Answer))
    return Evidence(
        sent=redactor.sent(first.request),
        site=first.site,
        answers=tuple(redactor.answer(answer) for answer in answers),
        unasked=tuple(part for part in found if isinstance(part, Unasked)),
        client=client,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _once(answers: Iterable[Answer]) -> Iterator[Answer]:
    """What every master says of the API's objects is kept once."""
    known = False
    for answer in answers:
        held = answer.question == "objects" and answer.code == 0
        if not (held and known):
            yield answer
        known = known or held
