"""What a changed Ingress would do: who takes a request then, and whose requests the change takes over."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from urltrace.kubernetes.objects import Ingress, Objects
from urltrace.request import Request
from urltrace.traefik.class_rule import with_default_class
from urltrace.traefik.ingress import Read, read_ingresses
from urltrace.traefik.provider import Provider
from urltrace.traefik.routers import Choice, Router, choose


@dataclass(frozen=True)
class Takeover:
    """A request that another router takes after the change. A side is None where nothing takes it."""

    request: Request
    before: Router | None
    after: Router | None
    tied: bool = False

    def __str__(self) -> str:
        before, after = (one.ingress or one.name if one else "404" for one in (self.before, self.after))
        return f"{self.request}: {before} -> {after}{' or the other, by chance' if self.tied else ''}"


@dataclass(frozen=True)
class Foretold:
    """The answer to `--with`. reads: the Ingresses of the change. before, after: who takes the traced request."""

    before: Choice
    after: Choice
    reads: tuple[Read, ...]
    takeovers: tuple[Takeover, ...]


def foretell(request: Request, objects: Objects, change: Objects, provider: Provider, entrypoint: str) -> Foretold:
    """Who takes `request` once `change` is applied to `objects`, and which requests of others change hands."""
    new = dataclasses.replace(change, ingresses=tuple(_stored(change, objects)))
    changed = objects.changed(new)
    before, after = read_ingresses(objects, provider), read_ingresses(changed, provider)
    keys = {ingress.key for ingress in new.ingresses or ()}

    def chosen(reads: Iterable[Read], sent: Request) -> Choice:
        routers = [router for read in reads for router in read.routers]
        return choose(routers, sent, entrypoint, tls=sent.scheme == "https")

    samples = dict.fromkeys(sent for read in (*before, *after) for sent in samples_of(read.ingress, request))
    takeovers = [_takeover(sent, chosen(before, sent), chosen(after, sent)) for sent in samples]
    return Foretold(
        before=chosen(before, request),
        after=chosen(after, request),
        reads=tuple(read for read in after if read.ingress.key in keys),
        takeovers=tuple(one for one in takeovers if one and one.request != request),
    )


def samples_of(ingress: Ingress, like: Request) -> Iterator[Request]:
    """For each path of an Ingress one request that is meant for it, and one below a prefix."""
    for rule in ingress.spec.rules:
        host = rule.host.replace("*", "any", 1) or like.host
        for held in rule.http.paths if rule.http else ():
            path = held.path or "/"
            yield Request(host=host, path=path, scheme=like.scheme, port=like.port, headers=like.headers)
            if held.path_type != "Exact":
                below = path.rstrip("/") + "/below"
                yield Request(host=host, path=below, scheme=like.scheme, port=like.port, headers=like.headers)


def _takeover(request: Request, before: Choice, after: Choice) -> Takeover | None:
    old, new = (_owner(choice.winner) for choice in (before, after))
    newly_tied = bool(after.tied) and not before.tied
    if old == new and not newly_tied:
        return None
    return Takeover(request, before.winner, after.winner, tied=bool(after.tied))


def _owner(router: Router | None) -> tuple[str, str] | None:
    return (router.ingress, router.service) if router else None


def _stored(change: Objects, objects: Objects) -> Iterator[Ingress]:
    """The Ingresses as the API server would store them."""
    known = {ingress.key: ingress for ingress in objects.ingresses or ()}
    classes = (*(objects.classes or ()), *(change.classes or ()))
    for ingress in change.ingresses or ():
        old = known.get(ingress.key)
        if old is None:
            yield with_default_class(ingress, classes)
        elif ingress.spec.ingress_class_name is None:  # apply keeps what the file does not name
            yield replace(ingress, spec=replace(ingress.spec, ingress_class_name=old.spec.ingress_class_name))
        else:
            yield ingress
