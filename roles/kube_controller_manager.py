"""The loops that make the cluster what its objects say, on every master; one of them leads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Rolled
from provision.inventory.types import Argument, Natural
from provision.resources import File, Resource
from roles._cluster import folders
from roles._component import component
from roles._fixed import flag, in_program
from roles._flags import LOGIN, NETWORKS, VERBOSITY, check_flags, names
from roles._kubeconfig import kubeconfig
from roles._version import version
from roles.kube_apiserver import LOCAL

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the kube_controller_manager role, all under `kube_controller_manager:`."""

    verbosity: Rolled[Natural] = 2  # of the log
    arguments: Rolled[tuple[Argument, ...]] = ()  # further flags, as the program takes them


def kube_controller_manager(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """kube-controller-manager-7-21 under supervisord."""
    if not site.managed:
        return
    name = "kube-controller-manager"
    instead = VERBOSITY | LOGIN | NETWORKS
    check_flags(host, ("kube_controller_manager", "arguments"), names(settings.arguments), instead)
    yield in_program(host, "site.cluster_cidr", site.cluster_cidr, name, flag("cluster-cidr"))
    folder = folders(site)
    path = f"{folder.conf}/{name}.kubeconfig"
    login = File(path=path, content=kubeconfig(host, site, name, LOCAL), mode="0600", secret=True)
    yield version(host, site, name)
    yield login
    yield from component(
        host,
        site,
        name,
        log="controller",
        arguments=(
            "--bind-address=127.0.0.1",
            f"--kubeconfig={path}",
            f"--authentication-kubeconfig={path}",
            f"--authorization-kubeconfig={path}",
            # it may start before RBAC's first roles are there, and would end at once
            "--authentication-tolerate-lookup-failure=true",
            "--leader-elect=true",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={folder.cert}/sa-key.pem",
            f"--root-ca-file={folder.cert}/ca.pem",
            f"--cluster-cidr={site.cluster_cidr}",
            f"--service-cluster-ip-range={site.service_cidr}",
            "--allocate-node-cidrs=false",  # a node's pod network follows from its address (role cni)
            "--profiling=false",
            f"--v={settings.verbosity}",
            *settings.arguments,
        ),
        reads=(login,),
        ready="curl -fsk -m 2 https://127.0.0.1:10257/healthz",
    )
