"""What chooses a node for each pod, on every master; one of them leads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Rolled
from provision.inventory.types import Argument, Natural
from provision.resources import File, Resource
from roles._cluster import folders, members
from roles._component import component, current
from roles._flags import LOGIN, VERBOSITY, check_flags, names
from roles._kubeconfig import kubeconfig
from roles._version import version
from roles.kube_apiserver import LOCAL

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the kube_scheduler role, all under `kube_scheduler:`."""

    verbosity: Rolled[Natural] = 2  # of the log
    arguments: Rolled[tuple[Argument, ...]] = ()  # further flags, as the program takes them


def kube_scheduler(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """kube-scheduler-7-21 under supervisord."""
    if not site.managed:
        return
    check_flags(host, ("kube_scheduler", "arguments"), names(settings.arguments), VERBOSITY | LOGIN)
    path = f"{folders(site).conf}/kube-scheduler.kubeconfig"
    login = File(path=path, content=kubeconfig(host, site, "kube-scheduler", LOCAL), mode="0600", secret=True)
    yield version(host, site, "kube-scheduler")
    yield login
    yield from component(
        host,
        site,
        "kube-scheduler",
        log="scheduler",
        arguments=(
            "--bind-address=127.0.0.1",
            f"--kubeconfig={path}",
            f"--authentication-kubeconfig={path}",
            f"--authorization-kubeconfig={path}",
            "--authentication-tolerate-lookup-failure=true",
            "--leader-elect=true",
            "--profiling=false",
            f"--v={settings.verbosity}",
            *settings.arguments,
        ),
        reads=(login,),
        ready="curl -fsk -m 2 https://127.0.0.1:10259/healthz",
    )
    if host not in members(host, "nodes"):
        yield current(site)
