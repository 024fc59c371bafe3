"""The cluster's memory: one etcd member on each host of the group, peers and clients with certificates.

Who the members are is the cluster's own knowledge: a host that joins asks those that are there. So nothing in a start
script names the others, and a member that runs is not restarted when the group changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free, Once, Rolled
from provision.inventory.types import Bytes, FilePath, PackageName, Positive
from provision.resources import Command, Directory, Package, Resource, Symlink
from provision.resources.kubernetes.etcd import EtcdMember, EtcdRoom, Member, UndeclaredMembers, may_stop, vote
from roles import _certificates
from roles._cluster import address_of, numbered
from roles._component import supervised
from roles._fixed import flag, in_program

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

HOME = "/opt/etcd"
CERT = f"{HOME}/certs"
CLIENT_PORT = 2379
PEER_PORT = 2380
LEARNER = f"{HOME}/learner"  # exists while the host's member may not vote
HEALTH = "http://127.0.0.1:2381"  # /health and /metrics alone, so that looking at a member needs no certificate


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the etcd role, all under `etcd:`."""

    package: Rolled[PackageName] = "etcd-server"  # what brings /usr/bin/etcd
    data: Once[FilePath] = "/data/etcd/etcd-server"  # the member's database
    quota: Rolled[Bytes] = 8_000_000_000  # bytes; a bigger database refuses writes
    heartbeat: Rolled[Positive] = 100  # milliseconds between two signs of life of the leader
    election: Rolled[Positive] = 1000  # milliseconds without one until another is chosen; ten heartbeats or more
    snapshots: Free[Positive] = 30  # that etcd.backup keeps on the controller
    snapshot_days: Free[Positive] = 90  # age at which it removes one; the youngest always stays
    ready_timeout: Free[Positive] = 60  # seconds; a member answers once more than half of them are there


def etcd(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Package, certificates, and etcd-server-7-21 under supervisord."""
    if not site.managed:
        return
    yield in_program(host, "etcd.data", settings.data, "etcd-server", flag("data-dir"))
    # masked before the package brings it: its own unit would take the ports, with a configuration nobody chose
    yield Symlink(path="/etc/systemd/system/etcd.service", target="/dev/null")
    yield Package(names=(settings.package, "etcd-client"))
    yield Command(name="stop the package's own etcd", run="systemctl stop etcd", unless="! systemctl is-active -q etcd")
    yield Directory(path=HOME)
    yield Directory(path=CERT)
    yield Directory(path=settings.data.rpartition("/")[0])
    yield Directory(path=settings.data, mode="0700", owner="etcd", group="etcd")
    authority = _certificates.trusted(host, site, f"{CERT}/ca.pem")
    pair = _certificates.files(host, site, _certificates.etcd(host, site), "etcd-peer", CERT, owner="etcd")
    yield authority
    yield from pair
    member = _member(host, settings)
    yield member
    yield from supervised(
        program=numbered("etcd-server", host),
        executable="/usr/bin/etcd",
        script=f"{HOME}/etcd-server-startup.sh",
        log="/data/logs/etcd-server/etcd.stdout.log",
        arguments=_arguments(host, settings),
        reads=(authority, *pair, member),
        ready=f"curl -fs -m 2 '{HEALTH}/health?exclude=NOSPACE'",  # a full one is up, and made room in later
        ready_timeout=settings.ready_timeout,
        user="etcd",
        first_start=member.first_start,
        data=f"{settings.data}/member",
        may_stop=may_stop(member),
    )
    yield vote(member)
    if host == host.group("etcd")[-1]:  # by then all others run with the quota that is declared
        yield EtcdRoom(member=member, quota=settings.quota)
        yield UndeclaredMembers(member=member)


def clients(host: Host) -> str:
    """Every member's address for clients, as kube-apiserver's --etcd-servers wants them."""
    return ",".join(f"https://{address_of(member)}:{CLIENT_PORT}" for member in host.group("etcd"))


def member_of(host: Host) -> Member:
    """The member that a host is."""
    address = address_of(host)
    name = numbered("etcd-server", host)
    return Member(name, peer=f"https://{address}:{PEER_PORT}", client=f"https://{address}:{CLIENT_PORT}")


def _member(host: Host, settings: Settings) -> EtcdMember:
    return EtcdMember(
        me=member_of(host),
        others=tuple(member_of(other) for other in host.group("etcd") if other != host),
        data=settings.data,
        certificates=CERT,
        first_start=f"{HOME}/first-start.env",
        learner=LEARNER,
        local=HEALTH,
    )


def _arguments(host: Host, settings: Settings) -> tuple[str, ...]:
    me = member_of(host)
    return (
        f"--name={me.name}",
        f"--data-dir={settings.data}",
        f"--quota-backend-bytes={settings.quota}",
        f"--heartbeat-interval={settings.heartbeat}",
        f"--election-timeout={settings.election}",
        # the course also listens on plain http://127.0.0.1:2379, where everyone on the host may read every Secret
        f"--listen-client-urls={me.client},https://127.0.0.1:{CLIENT_PORT}",
        f"--advertise-client-urls={me.client}",
        f"--listen-metrics-urls={HEALTH}",
        f"--listen-peer-urls={me.peer}",
        f"--initial-advertise-peer-urls={me.peer}",
        f"--trusted-ca-file={CERT}/ca.pem",
        f"--cert-file={CERT}/etcd-peer.pem",
        f"--key-file={CERT}/etcd-peer-key.pem",
        "--client-cert-auth",
        f"--peer-trusted-ca-file={CERT}/ca.pem",
        f"--peer-cert-file={CERT}/etcd-peer.pem",
        f"--peer-key-file={CERT}/etcd-peer-key.pem",
        "--peer-client-cert-auth",
        "--logger=zap",
        "--log-outputs=stderr",
    )
