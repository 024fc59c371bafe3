"""kube-proxy on every node: services' addresses and node ports, in one of its three modes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.errors import InputError
from provision.home import expanded
from provision.inventory.changes import Free, Rolled
from provision.inventory.types import FlagName, FlagValue, OptionalFilePath, OptionalLocalPath, Positive
from provision.resources import Command, File, FixedSetting, Package, ProxyMode, Resource
from provision.resources.kubernetes.proxy_rules import Mode, flush_untranslated
from roles._cluster import LOGS, folders, held, node_name, numbered
from roles._component import component, current, supervised
from roles._fixed import api_port, flag, in_program, node_domain
from roles._flags import check_flags
from roles._kubeconfig import kubeconfig
from roles._version import node_version

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

Scheduler = Literal["", "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "mh"]
HEALTH = "127.0.0.1:10256"

# kube-proxy says it is healthy before its rules are there: both are asked for. `kubernetes` is a service of every
# cluster, so there is always a rule to look for.
RULES: dict[Mode, str] = {
    "iptables": "iptables -w 5 -t nat -n -L KUBE-SERVICES",
    "nftables": "nft list map ip kube-proxy service-ips",
    "ipvs": "ip addr show dev kube-ipvs0",
}
NO_IPVS = "this kernel has no ip_vs: install the modules of the distribution, or set kube_proxy.mode to nftables"
PACKAGES: dict[Mode, tuple[str, ...]] = {
    "iptables": ("iptables", "conntrack", "kmod"),
    "nftables": ("nftables", "conntrack", "kmod"),
    "ipvs": ("iptables", "ipset", "ipvsadm", "conntrack", "kmod"),
}


# Flags that follow from settings, or that the rest of the toolkit relies on.
INSTEAD = {
    "proxy-mode": "kube_proxy.mode",
    "ipvs-scheduler": "kube_proxy.scheduler",
    "kubeconfig": "kube_proxy.kubeconfig or kube_proxy.kubeconfig_path",
    "master": "kube_proxy.kubeconfig",
    "cluster-cidr": "site.cluster_cidr",
    "hostname-override": "the host's name in the inventory, with site.host_domain",
    "config": "single flags: with a file every other flag is ignored in silence",
    "healthz-bind-address": "the port as it is: checks and gates ask there",
    "metrics-bind-address": "the port as it is: checks and gates ask there",
}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the kube_proxy role, all under `kube_proxy:`."""

    mode: Rolled[Mode] = "iptables"  # what it writes its rules with
    scheduler: Rolled[Scheduler] = ""  # ipvs only; '' is rr. nq sends idle clients to one and the same pod
    flags: Rolled[dict[FlagName, FlagValue]] = {}  # further flags, without the dashes
    ready_timeout: Free[Positive] = 60  # seconds until it is healthy and its rules are there
    kubeconfig: Rolled[OptionalLocalPath] = ""  # of somebody else's cluster: a file beside the inventory, for each node
    kubeconfig_path: Rolled[OptionalFilePath] = ""  # the same, if the file is on the nodes already


def kube_proxy(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """What the mode needs of the host, then kube-proxy itself under supervisord."""
    _check(host, settings)
    if site.managed:
        yield from _fixed(host, site, settings)
        yield node_version(host, site, "kube-proxy")
    yield Package(names=PACKAGES[settings.mode])
    kernel = tuple(_kernel(settings))
    yield from kernel
    if not settings.kubeconfig and not settings.kubeconfig_path:
        yield from held(host, site, "kube-proxy")
    login, path = _kubeconfig(host, site, settings)
    yield from login
    arguments = _arguments(host, site, settings, path)
    program = numbered("kube-proxy", host)
    clean = (ProxyMode(program=program, mode=settings.mode, services=site.service_cidr),)
    ready = f"curl -fs -m 2 {HEALTH}/healthz && {RULES[settings.mode]}"
    if site.managed or "kube-proxy" in site.binaries:
        yield from component(
            host,
            site,
            "kube-proxy",
            arguments=arguments,
            reads=login,
            ready=ready,
            log="proxy",
            first=clean,
            ready_timeout=settings.ready_timeout,
        )
    else:  # the program is there already, only how it is started is ours
        yield from supervised(
            program=program,
            executable=f"{folders(site).bin}/kube-proxy",
            script=f"{folders(site).bin}/kube-proxy.sh",
            log=f"{LOGS}/kube-proxy/proxy.stdout.log",
            arguments=arguments,
            reads=login,
            ready=ready,
            first=clean,
            ready_timeout=settings.ready_timeout,
        )
    if site.managed:
        yield current(site)
    flush = flush_untranslated(site.service_cidr)
    yield Command(name="flush untranslated conntrack entries", run=flush, on_change=clean)


def _fixed(host: Host, site: SiteSettings, settings: Settings) -> Iterator[FixedSetting]:
    """What the node is known by, what it takes for pods, and how it reaches the API."""
    program = "kube-proxy"
    yield from node_domain(host, site, program)
    yield in_program(host, "site.cluster_cidr", site.cluster_cidr, program, flag("cluster-cidr"))
    if not settings.kubeconfig and not settings.kubeconfig_path:
        yield api_port(host, site, program)


def _check(host: Host, settings: Settings) -> None:
    check_flags(host, ("kube_proxy", "flags"), settings.flags, INSTEAD)
    if settings.scheduler and settings.mode != "ipvs":
        raise InputError(
            f"kube_proxy.scheduler means nothing in mode {settings.mode}",
            line=host.origin("kube_proxy", "scheduler"),
            found=f"{settings.scheduler!r} was written, but only ipvs has one: {settings.mode} picks pods at random",
            do="Remove it, or set kube_proxy.mode to ipvs",
        )


def _kernel(settings: Settings) -> Iterator[Resource]:
    """What kube-proxy of this mode would die of, looked at before anything of it is changed."""
    if settings.mode == "nftables":
        new_enough = "printf '5.13\\n%s\\n' \"$(uname -r)\" | sort -VC && nft list tables >/dev/null"
        why = "this kernel is older than 5.13 or has no nftables: set kube_proxy.mode to iptables"
        yield Command(name="look whether the kernel has nftables", run=_or(new_enough, why), unless=new_enough)
    if settings.mode == "ipvs":
        modules = ("ip_vs", f"ip_vs_{settings.scheduler or 'rr'}")
        names = " ".join(modules)
        yield Command(
            name="load what ipvs needs",
            run=_or(f"modprobe -a {names}", NO_IPVS),
            unless=f"modprobe -naq {names} && test -e /proc/net/ip_vs",
        )
        yield File(path="/etc/modules-load.d/kube-proxy.conf", content="".join(f"{module}\n" for module in modules))


def _or(command: str, why: str) -> str:
    return f"{{ {command}; }} || {{ echo '{why}' >&2; exit 1; }}"


def _kubeconfig(host: Host, site: SiteSettings, settings: Settings) -> tuple[Sequence[Resource], str]:
    """How it logs in to the API: the file on the host as a resource, if it is ours, and its path."""
    path = f"{folders(site).conf}/kube-proxy.kubeconfig"
    if settings.kubeconfig_path:
        return (), settings.kubeconfig_path
    if settings.kubeconfig:
        source = host.inventory.directory / expanded(settings.kubeconfig)
        if not source.is_file():
            raise InputError(
                f"there is no file {source}",
                line=host.origin("kube_proxy", "kubeconfig"),
                do="Put kube-proxy's kubeconfig of that cluster there (user system:kube-proxy, server and CA), "
                "or set kube_proxy.kubeconfig_path to a file that the nodes have",
            )
        return (File(path=path, content=source, mode="0600", secret=True),), path
    if not site.managed:
        raise InputError(
            "nothing says how kube-proxy logs in to a cluster that stands already",
            line=host.origin("site", "managed"),
            do="Set kube_proxy.kubeconfig to a file beside the inventory, or .kubeconfig_path to one on the nodes",
        )
    return (File(path=path, content=kubeconfig(host, site, "kube-proxy-client"), mode="0600", secret=True),), path


def _arguments(host: Host, site: SiteSettings, settings: Settings, path: str) -> list[str]:
    """Its flags. Not --config: with that every other flag is ignored in silence."""
    flags = {
        "proxy-mode": settings.mode,
        "kubeconfig": path,
        "hostname-override": node_name(host, site),
        "cluster-cidr": site.cluster_cidr,
        "detect-local-mode": "ClusterCIDR",
        "healthz-bind-address": "0.0.0.0:10256",
        "metrics-bind-address": "127.0.0.1:10249",
        # a port that another kube-proxy holds ends it; without this it would run beside it in silence
        "bind-address-hard-fail": "true",
    }
    if settings.mode == "ipvs":
        flags["ipvs-scheduler"] = settings.scheduler or "rr"
    return [f"--{name}={value}" for name, value in {**flags, **settings.flags}.items()]
