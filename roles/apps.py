"""Applications: what a site is for. Their objects, their pods awaited, and their URLs asked."""

from __future__ import annotations

import shlex
from collections import ChainMap
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from provision.errors import InputError
from provision.inventory.settings import bind
from provision.inventory.sources import shown_from
from provision.inventory.types import Label
from provision.playbook import health_check
from provision.resources import Command, Manifests, Rendered, Resource, Rollout
from provision.resources.kubernetes import diff
from provision.resources.kubernetes.diff import Object
from provision.resources.kubernetes.lines import lines_of
from provision.resources.kubernetes.schema import check_objects
from provision.spelling import suggestion
from provision.templating.templates import Templates
from roles import _applications, _edge_names, edge
from roles._applications import App, Application, origin, published
from roles._cluster import KUBECTL, members
from roles._edge_sites import HEALTH, health_paths
from roles._ingress import Served, check_ingresses, check_paths
from roles._routes import check_fields
from roles._selectors import check_selectors, made_namespaces
from roles._workloads import node_names
from roles.traefik_port import closed

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory
    from roles._site import SiteSettings

WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")

Settings = dict[Label, App]  # under `apps:`, by names that a person chooses


class _Set(NamedTuple):
    """An application with its objects."""

    app: Application
    content: Rendered
    objects: Sequence[Object]

    @staticmethod
    def of(app: Application, content: Rendered) -> _Set:
        return _Set(app, content, diff.parse(str(content.text), content.source))


def applications(site: SiteSettings, settings: Settings) -> tuple[health_check.Application, ...]:
    """What has to go on answering while nodes change: for plays with `drain: edge`."""
    return tuple(
        health_check.Application(app.name, app.url, app.expect) for app in _applications.applications(site, settings)
    )


def notes(inventory: Inventory, site: SiteSettings, settings: Settings) -> Iterator[str]:
    """The names of edge.sites that nothing of the site has. Raises InputError for manifests that can't be read."""
    hosts = (*inventory.members("masters"), *inventory.hosts)
    if any(bind(edge.Settings, each, "edge").sites for each in members(hosts[0], "edge")):
        sets = (_Set.of(app, _rendered(hosts[0], site, app)) for app in published(hosts[0], site))
        objects = chain.from_iterable(each.objects for each in sets)
        yield from _edge_names.notes(hosts[0], site, _edge_names.declared_names(hosts[0], site, objects))


def apps(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Every application of the inventory, one set of objects each."""
    sets = [_Set.of(app, _rendered(host, site, app)) for app in published(host, site)]
    namespaces = frozenset(name for each in sets for name in made_namespaces(each.objects))
    for each in sets:
        check_objects(each.objects, lines_of(_unshifted(each.content), each.content.source), site.kubernetes)
        check_fields(each.objects, each.content.source, _unshifted(each.content))
        check_selectors(each.objects, each.content.source, namespaces)
        check_ingresses(each.objects, each.content.source, each.app, site, Served.by(host))
    check_paths({each.content.source: each.objects for each in sets})
    for app, content, found in sets:
        objects = Manifests(name=f"app-{app.name}", content=content, kubectl=KUBECTL, version=site.kubernetes)
        yield objects
        for item in found:
            kind, namespace, name = diff.identity(item)
            if kind in WORKLOADS:
                yield Rollout(
                    kind=kind,
                    namespace=namespace or "default",
                    name=name,
                    kubectl=KUBECTL,
                    of=objects,
                    timeout=app.ready_timeout,
                    declared=node_names(host, site) if kind == "DaemonSet" else (),
                )
        yield Command(
            name=f"ask application {app.name}",
            run=_wait(host, site, app),
            on_change=(objects,),
            waits=True,
            timeout=app.ready_timeout + 5 * len(members(host, "nodes")) + 30,  # each may be silent for 5 s
        )


def _rendered(host: Host, site: SiteSettings, app: Application) -> Rendered:
    """The manifests as they are for this site: every variable of the host is known to them by its name."""
    folder = host.inventory.directory
    file, shown = folder / app.manifests, shown_from(Path.cwd(), folder)
    if not file.is_file():
        below = sorted(str(each.relative_to(folder)) for each in file.parent.glob("*") if each.is_file())
        raise InputError(
            f"the application {app.name} has no manifests",
            line=origin(host, app, "manifests"),
            found=f"There is no file {shown}/{app.manifests}",
            do=suggestion(app.manifests, below) or f"Write its objects into {shown}/{app.manifests}",
        )
    known = ChainMap({"host": host, "site": site, "app": app}, host.vars)  # type: ignore[arg-type]  # read only
    text = Templates([folder], shown=shown).render(app.manifests, known, host=host.name, role="apps")
    own = ("apps", app.name)
    return Rendered(text, file, f"{shown}/{app.manifests}", (*own, "manifests"), {"app": own})


def _unshifted(content: Rendered) -> str:
    """The text of manifests, where its lines are those of the file; '' where templating has made more or fewer."""
    text = str(content.text)
    return text if len(text.splitlines()) == len(content.file.read_text().splitlines()) else ""


def _wait(host: Host, site: SiteSettings, app: Application) -> str:
    """sh that waits until the application answers by every node's Traefik; a node on which none listens is left out."""
    said = f"%{{num_connects}} %{{http_code}}, not {app.expect}, from {app.url} at %{{url_effective}}\\n"
    ask = f"curl -s -m 5 --connect-timeout 2 -o /dev/null -w {shlex.quote(said)}"
    asked = "; ".join(f"{ask} {shlex.join(way)}" for way in _ways(host, site, app)) or ":"
    return (
        f"end=$(( $(date +%s) + {app.ready_timeout} ))\n"
        f"until wrong=$({{ {asked}; }} | grep -vE '^(0 |1 {app.expect},)' | cut -d ' ' -f 2-); [ -z \"$wrong\" ]; do\n"
        f'  [ "$(date +%s)" -lt "$end" ] || {{ echo "$wrong" >&2; exit 1; }}; sleep 0.5\ndone\n'
    )


def _ways(host: Host, site: SiteSettings, app: Application) -> Iterator[tuple[str, ...]]:
    """How curl asks for it: at every node, or through every edge where nodes take nobody else's requests."""
    if not closed(host):
        for node in members(host, "nodes"):
            yield "-H", f"Host: {app.host}", f"http://{node.address}:{site.traefik_port}{app.path}"
        return
    for each in members(host, "edge"):
        settings = bind(edge.Settings, each, "edge")
        url = f"{'https' if settings.tls.source else 'http'}://{app.host}"
        health = app.host in health_paths(each, site, settings.sites)
        yield "-k", "--connect-to", f"::{each.address}:", *(("-I", url + HEALTH) if health else (url + app.path,))
