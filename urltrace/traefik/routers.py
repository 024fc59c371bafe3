"""The routers that a Traefik has loaded, and which of them takes a request.

Read from `/api/rawdata`, which lists everything at once; `/api/http/routers` comes in pages of a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec

from provision.decoding import decode
from urltrace.request import Request
from urltrace.traefik.evaluate import Comparison, Evaluation, check_values, evaluate
from urltrace.traefik.rule import RuleError, parse

Cause = Literal["disabled", "rule", "entrypoint", "tls", "no match", "unknown"]


@dataclass(frozen=True)
class Router:
    """One router. name: with its provider, as in 'default-web-demo@kubernetes'. priority 0: the rule's length.

    ingress: the Ingress that it is made of, 'namespace/name'; '' when Traefik does not say.
    """

    name: str
    rule: str
    service: str = ""
    entrypoints: tuple[str, ...] = ()
    middlewares: tuple[str, ...] = ()
    priority: int = 0
    syntax: str = ""
    tls: bool = False
    disabled: bool = False
    errors: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    ingress: str = ""

    @property
    def provider(self) -> str:
        return self.name.partition("@")[2]

    @property
    def rank(self) -> int:
        """What decides between routers that match: the higher one takes the request."""
        return self.priority or len(self.rule.encode())

    @property
    def service_name(self) -> str:
        """The service with its provider, as services are listed."""
        return self.service if "@" in self.service or not self.provider else f"{self.service}@{self.provider}"


@dataclass(frozen=True)
class Service:
    """One service. servers: their URLs. down: those that a health check has left out."""

    name: str
    servers: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """Everything that one Traefik has loaded."""

    routers: tuple[Router, ...]
    services: tuple[Service, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Service]:
        return {service.name: service for service in self.services}


@dataclass(frozen=True)
class Judged:
    """A router and a request. cause: why it does not take it, '' when it matches."""

    router: Router
    cause: Cause | Literal[""]
    sentence: str = ""
    why_not: tuple[Comparison, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Who takes a request.

    winner: None means Traefik's own 404. tied: routers of the same rank, of which any may take it. shadowed: they match
    too, with a lower rank. perhaps: they may match and would come first. others: every other router and why.
    """

    winner: Router | None
    tied: tuple[Router, ...] = ()
    shadowed: tuple[Router, ...] = ()
    perhaps: tuple[Judged, ...] = ()
    others: tuple[Judged, ...] = field(default=())

    @property
    def nearest(self) -> tuple[Judged, ...]:
        """The routers that fail by fewest comparisons, those whose host matches first: what to show for a 404."""
        missed = [judged for judged in self.others if judged.cause == "no match"]
        return tuple(sorted(missed, key=_distance))


def _distance(judged: Judged) -> tuple[bool, int, int]:
    by_host = any(reason.matcher.name in ("Host", "HostRegexp") for reason in judged.why_not)
    return by_host, len(judged.why_not), -judged.router.rank


def choose(routers: Iterable[Router], request: Request, entrypoint: str = "web", *, tls: bool = False) -> Choice:
    """Which router of an entry point takes `request`, and why each other one does not."""
    judged = sorted((_judged(router, request, entrypoint, tls) for router in routers), key=_by_rank)
    matching = [one.router for one in judged if not one.cause]
    winner = matching[0] if matching else None
    tied = tuple(router for router in matching[1:] if winner and router.rank == winner.rank)
    return Choice(
        winner=winner,
        tied=tied,
        shadowed=tuple(router for router in matching[1:] if router not in tied),
        perhaps=tuple(one for one in judged if one.cause == "unknown" and (not winner or _before(one, winner))),
        others=tuple(one for one in judged if one.cause),
    )


def _before(one: Judged, winner: Router) -> bool:
    return one.router.rank >= winner.rank


def _by_rank(judged: Judged) -> tuple[int, str]:
    return -judged.router.rank, judged.router.name


def _judged(router: Router, request: Request, entrypoint: str, tls: bool) -> Judged:
    if router.disabled:
        return Judged(router, "disabled", "; ".join(router.errors) or "disabled")
    if router.parents:
        return Judged(router, "unknown", f"it is reached through {', '.join(router.parents)}")
    if entrypoint not in router.entrypoints:
        known = ", ".join(router.entrypoints) or "none"
        return Judged(router, "entrypoint", f"its entry points are {known}, the request comes by {entrypoint}")
    if router.tls != tls:
        wanted = "only TLS" if router.tls else "only requests without TLS"
        return Judged(router, "tls", f"it takes {wanted}")
    if router.syntax == "v2":
        return Judged(router, "unknown", "its rule is in syntax v2")
    try:
        rule = parse(router.rule)
        check_values(rule)
    except RuleError as error:
        return Judged(router, "rule", str(error))
    return _by_evaluation(router, evaluate(rule, request))


def _by_evaluation(router: Router, found: Evaluation) -> Judged:
    if found.matched:
        return Judged(router, "")
    cause: Cause = "no match" if found.matched is False else "unknown"
    return Judged(router, cause, "; ".join(str(reason) for reason in found.why_not), found.why_not)


class _Ingress(msgspec.Struct, frozen=True):
    namespace: str = ""
    name: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    ingress: _Ingress | None = None


class _Observability(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Router(msgspec.Struct, frozen=True, rename="camel"):
    rule: str = ""
    service: str = ""
    entry_points: tuple[str, ...] = ()
    middlewares: tuple[str, ...] = ()
    priority: int = 0
    rule_syntax: str = ""
    tls: dict[str, Any] | None = None
    status: str = "enabled"
    error: tuple[str, ...] = ()
    parent_refs: tuple[str, ...] = ()
    observability: _Observability = _Observability()


class _Server(msgspec.Struct, frozen=True):
    url: str = ""


class _Balancer(msgspec.Struct, frozen=True):
    servers: tuple[_Server, ...] = ()


class _Service(msgspec.Struct, frozen=True, rename="camel"):
    load_balancer: _Balancer = _Balancer()
    server_status: dict[str, str] = {}
    error: tuple[str, ...] = ()


class _Rawdata(msgspec.Struct, frozen=True):
    routers: dict[str, _Router] = {}
    services: dict[str, _Service] = {}


def read_rawdata(text: str | bytes) -> Loaded:
    """What `/api/rawdata` lists. Raises msgspec.MsgspecError (ValueError) for any other text."""
    data = decode(text, _Rawdata)
    return Loaded(
        tuple(_router(name, router) for name, router in data.routers.items()),
        tuple(_service(name, service) for name, service in data.services.items()),
    )


def _router(name: str, router: _Router) -> Router:
    ingress = router.observability.metadata.ingress
    return Router(
        name=name,
        rule=router.rule,
        service=router.service,
        entrypoints=router.entry_points,
        middlewares=router.middlewares,
        priority=router.priority,
        syntax=router.rule_syntax,
        tls=router.tls is not None,
        disabled=router.status == "disabled",
        errors=router.error,
        parents=router.parent_refs,
        ingress=f"{ingress.namespace}/{ingress.name}" if ingress else "",
    )


def _service(name: str, service: _Service) -> Service:
    return Service(
        name=name,
        servers=tuple(server.url for server in service.load_balancer.servers),
        down=tuple(url for url, status in service.server_status.items() if status != "UP"),
        errors=service.error,
    )
