"""Asking the hosts of a project about a URL: for `trace`, for a failed `verify`, and for the error of a run."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from hdss7.own_hops import by_host, own_hops
from provision.errors import InputError
from provision.inventory.settings import SITE
from provision.project import Project
from provision.verify.context import Context
from provision.verify.locations import HostLocation, Location
from urltrace.ask.gather import gather, questions
from urltrace.evidence import Evidence, Host, Site
from urltrace.redact import Redactor
from urltrace.request import Request
from urltrace.verdict import RULES, Verdict, judge

LOGIN = 6.0  # seconds
OWN_SERVER = "--server=https://127.0.0.1:6443"  # what a master knows does not depend on the way to the entrance


def traced(context: Context, places: Mapping[str, Location], request: Request, client: str = "") -> Evidence:
    """All that the places of a project say about a request. client: the host that asks, '' for the outside."""
    site, kubectl = site_of(context.project)
    besides = by_host(own_hops(context.project.folders), context)
    asked = questions(site, request, f"t{secrets.token_hex(8)}", kubectl, besides)
    return gather(asked, places, Redactor(secrets.token_hex(16)), client)


def judged(evidence: Evidence, project: Project) -> Verdict:
    """The verdict, also by what the hops of the project's own roles find."""
    return judge(evidence, (*RULES, *(hop.find for hop in own_hops(project.folders))))


@contextmanager
def places(context: Context) -> Iterator[Mapping[str, Location]]:
    """The places of a project for a trace of its own: connections that are closed at the end."""
    found = hurried(context.locations)
    try:
        yield found
    finally:
        for location in found.values():
            location.close()


def hurried(locations: Mapping[str, Location]) -> dict[str, Location]:
    """Places as they are, but for a login that may take as long as a trace: a host that is dead or frozen is told."""
    found = dict(locations)
    for name, location in locations.items():
        if isinstance(location, HostLocation) and location.login.timeout > LOGIN:
            found[name] = HostLocation(replace(location.login, timeout=LOGIN))
    return found


def site_of(project: Project) -> tuple[Site, str]:
    """How requests are meant to go, and kubectl as the masters have it."""
    from roles import etcd  # importable once a project is open, for they may be the project's own
    from roles._cluster import CERT, KUBECTL

    def hosts(group: str) -> tuple[Host, ...]:
        known = project.inventory.groups.get(group, ())
        return tuple(Host(one.name, one.address) for one in project.hosts(None) if one.name in known)

    edges = hosts("edge")
    first = next(iter(project.hosts(None)), None)
    if first is None:
        raise InputError("the inventory has no hosts that a play is about", do="Name another: --inventory DIR")
    settings = project.roles.settings(first, SITE)
    site = Site(
        domain=settings.domain,
        edges=edges,
        nodes=hosts("nodes"),
        masters=hosts("masters"),
        dns=hosts("dns"),
        vip=settings.vip,
        traefik_port=settings.traefik_port,
        cluster_dns=settings.cluster_dns,
        api=f"{settings.vip or edges[0].address}:{settings.api_port}" if edges else "",
        certificates=(CERT, etcd.CERT) if settings.managed else (),
    )
    return site, f"{KUBECTL} {OWN_SERVER}" if settings.managed else "kubectl"
