"""What every host has: the site's package source, names of its neighbours, and supervisord where programs run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.errors import InputError
from provision.inventory.changes import Free
from provision.inventory.types import AnyAddress, AptSource, HostName, PackageName, SysctlName, SysctlValue
from provision.resources import Command, Directory, File, Package, Resource, Service, Symlink, Sysctl, Template
from provision.resources.kubernetes.manifests import OLDEST
from roles._cluster import LINK, folders
from roles._fixed import checked_address, checked_managed

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

SUPERVISED = frozenset({"etcd", "masters", "nodes", "proxy_only"})  # groups whose hosts run programs under supervisord
KUBERNETES = frozenset({"masters", "nodes", "proxy_only"})  # groups whose hosts have /opt/kubernetes
DROP_IN = "/etc/systemd/system/supervisor.service.d"
SOCKET = "/run/supervisor.sock"
END_ORPHANS = "/usr/local/sbin/supervisor-end-orphans"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the base role, all under `base:`."""

    repository: Free[AptSource] = ""  # a line for apt's sources: where the site's own packages are
    packages: Free[tuple[PackageName, ...]] = ("ca-certificates", "curl")  # of every host
    sysctls: Free[dict[SysctlName, SysctlValue]] = {}  # of every host; a role that needs one declares it itself
    hosts: Free[dict[HostName, AnyAddress]] = {}  # further names for /etc/hosts: name -> address


def base(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Package source, /etc/hosts, kernel parameters, the course's directories, supervisord."""
    yield from checked_managed(host, site)
    if site.managed:
        yield from checked_address(host)
    if settings.repository:
        yield File(path="/etc/apt/sources.list.d/provision.list", content=f"{settings.repository}\n")
    yield Package(names=settings.packages)
    if site.managed:  # a site that stands already has names of its own
        yield File(path="/etc/hosts", content=Template("base/hosts.j2"))
    for name, value in settings.sysctls.items():
        yield Sysctl(name=name, value=value)
    groups = frozenset(host.groups)
    if groups & KUBERNETES:
        yield from _folders(host, site)
    if groups & (SUPERVISED if site.managed else KUBERNETES):
        yield from _supervisor()


def _check_version(host: Host, site: SiteSettings) -> None:
    """site.kubernetes is none that the API server's own look would refuse later."""
    major, minor, _ = map(int, site.kubernetes.split("."))
    if (major, minor) < OLDEST:
        raise InputError(
            f"site.kubernetes {site.kubernetes!r} is no version that this toolkit installs",
            line=host.origin("site", "kubernetes"),
            do=f"Write {'.'.join(map(str, OLDEST))}.0 or newer, as 1.34.4",
        )


def _folders(host: Host, site: SiteSettings) -> Iterator[Resource]:
    """The course's layout. Each version has a folder of its own; /opt/kubernetes leads to the one that the host runs.

    It is moved once every program of the host is of the new version: by role kube_scheduler or kube_proxy.
    """
    if site.managed:
        _check_version(host, site)
        version = folders(site)
        for path in (version.root, f"{version.root}/server", version.bin, version.cert, version.conf):
            yield Directory(path=path)
        yield Symlink(path=LINK, target=version.root, if_missing=True)
    else:
        yield Directory(path=folders(site).conf)
    for path in ("/data", "/data/logs", "/data/logs/kubernetes"):
        yield Directory(path=path)


def _supervisor() -> Iterator[Resource]:
    """supervisord, back within a second of its death, and never beside children of a dead one."""
    yield Package(names=("supervisor",))
    orphans = File(path=END_ORPHANS, content=Template("base/end-orphans.sh.j2"), mode="0755")
    yield orphans
    yield Directory(path=DROP_IN)
    unit = File(path=f"{DROP_IN}/provision.conf", content=Template("base/supervisor.conf.j2"))
    yield unit
    # systemd only has to read it: a restart of supervisord would restart every program on the host
    yield Command(name="supervisor drop-in", run="systemctl daemon-reload", on_change=(unit,))
    # its socket answers: supervisorctl itself is a quarter of a second of Python a try
    yield Service(name="supervisor", ready=f"curl -s -m 2 -o /dev/null --unix-socket {SOCKET} http://localhost/")
