"""The names of edge.sites beside those that the site declares: a misspelt one would protect or change nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from provision.inventory.settings import bind as settings_of
from provision.resources.kubernetes.diff import Object
from provision.spelling import listed, suggestion
from roles import bind, edge, traefik
from roles._applications import PUBLISHED, ROUTED, label, published
from roles._cluster import members
from roles._routes import KINDS

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


def declared_names(host: Host, site: SiteSettings, objects: Iterable[Object]) -> frozenset[str]:
    """Every name of the site's domain that the inventory declares, without the domain: the site's own, those of
    applications, of bind.records, and of the Ingresses and routes among `objects`.
    """
    own = (*PUBLISHED, ROUTED) if traefik.serves_routes(host) else PUBLISHED
    apps = (label(app, site) for app in published(host, site))
    server = next(iter(members(host, "dns")), host)
    records = settings_of(bind.Settings, server, "bind").records
    served = (name.removesuffix(f".{site.domain}") for item in objects for name in _hosts(item))
    return frozenset(name.lower() for name in (*own, *apps, *records, *served) if name not in ("", "@"))


def notes(host: Host, site: SiteSettings, known: Collection[str]) -> Iterator[str]:
    """A line for each name of edge.sites that is none of `known`, of every edge."""
    found: dict[str, None] = {}
    for each in members(host, "edge"):
        for name in settings_of(edge.Settings, each, "edge").sites:
            if not any(stands_for(other, name) or stands_for(name, other) for other in known):
                line = each.origin("edge", "sites", name)
                found[_note(line, name, site, sorted(known))] = None
    yield from found


def stands_for(pattern: str, name: str) -> bool:
    """Whether a name, or a wildcard as DNS has it ('*', '*.shop'), stands for another name."""
    written, other = pattern.lower(), name.lower()
    return written == other or (written[:1] == "*" and other.endswith(written[1:]))


def _note(line: str, name: str, site: SiteSettings, known: list[str]) -> str:
    near = suggestion(name, known)
    return (
        f"note: {f'{line}: ' if line else ''}edge.sites has {name}, but no application, Ingress, route or record that "
        f"is declared here has the name {name}.{site.domain}. {f'{near} ' if near else ''}There are: {listed(known)}"
    )


def _hosts(item: Object) -> Iterator[str]:
    spec = item.get("spec") or {}
    if item["kind"] == "Ingress":
        yield from (str(rule.get("host") or "") for rule in spec.get("rules") or ())
    elif item["kind"] in KINDS:
        yield from map(str, spec.get("hostnames") or ())
