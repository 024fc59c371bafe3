"""The site's etcd as its commands need it: who the members are, where they have their data, where snapshots go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hdss7.options import Options
from provision.errors import InputError
from provision.inventory.settings import SITE
from provision.project import Project

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles import etcd
    from roles._site import SiteSettings


@dataclass(frozen=True)
class Cluster:
    """members: the hosts of group etcd, within the limit. snapshots: the controller's folder of them."""

    project: Project
    site: SiteSettings
    members: tuple[Host, ...]
    masters: tuple[Host, ...]
    nodes: tuple[Host, ...]
    snapshots: Path

    def settings(self, host: Host) -> etcd.Settings:
        """Role etcd's, for a host."""
        found: etcd.Settings = self.project.roles.settings(host, "etcd")
        return found


def cluster(project: Project, options: Options) -> Cluster:
    """Raises InputError where no host of the limit is in group etcd, or where somebody else installed the cluster."""
    from roles._certificates import store  # importable once a project is open, for it may be the project's own
    from roles._cluster import members
    from roles._snapshots import FOLDER

    any_host = project.inventory.hosts[0]
    site: SiteSettings = project.roles.settings(any_host, SITE)
    chosen = project.hosts(options.limit)
    found = tuple(host for host in members(any_host, "etcd") if host in chosen)
    if not site.managed:
        raise InputError(
            "this toolkit did not install this cluster's etcd",
            found=f"site.managed is false{at(any_host.origin('site', 'managed'))}",
            do="Ask whoever installed it for a snapshot",
        )
    if not found:
        raise InputError("no host within the limit is in group etcd", do="Widen --limit: --limit etcd")
    folder = store(project.inventory, site).directory.parent / FOLDER
    return Cluster(project, site, found, members(any_host, "masters"), members(any_host, "nodes"), folder)


def at(line: str) -> str:
    """` (group_vars/all.yml:3)`, or nothing."""
    return f" ({line})" if line else ""
