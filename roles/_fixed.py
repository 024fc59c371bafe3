"""Settings that are fixed when a cluster is made: where a host shows the live value, and the way to another one.

What runs is believed, not what was declared last: supervisord's file of a program names its start script, and that one
the files that it reads, whichever version's folder they lie in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.resources import After, Fixed, FixedSetting, LookupQuestion
from roles._cluster import CERT, address_of, members
from roles._component import UNITS

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

COMMAND = After("^command=")
BY_US = After("^# by ", "provision")  # in a start script

# the way to another value by hand, for what says where the live one was found
NEVER = "A cluster that runs has no way to another one: make a new cluster, and move what runs in it"
NODE = (
    "To change it all the same, node by node: take the host out of the group nodes and deploy --prune, which moves its "
    "pods and takes all of a node off it; then add it again with the new value (docs/hosts.md)"
)
OUTAGE = "To change it all the same, with an outage of every site: kubectl delete"
BY_HAND = {
    "ansible_host": "To change it: take the host out of the inventory's groups and deploy --prune, which stops its "
    "programs; then add it under the new address (docs/hosts.md)",
    "cni.bridge": NODE,
    "cni.subnet": NODE,
    "containerd.snapshotter": NODE,
    "containerd.systemd_cgroup": f"{NODE}. kubelet.cgroup_driver changes with it",
    "etcd.data": "To move it, member by member: stop the program (supervisorctl), move the folder, remove the file "
    "named here, deploy with --limit",
    "kubelet.cgroup_driver": f"{NODE}. containerd.systemd_cgroup changes with it",
    "kubelet.root": NODE,
    "site.traefik_port": f"{OUTAGE} Traefik's DaemonSet or Deployment and the file named here of each edge, deploy",
    "traefik.kind": f"{OUTAGE} the object named here, deploy",
}


def declared(host: Host, setting: str, value: object) -> Fixed:
    """The setting of that dotted name, as the inventory has it for a host."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Fixed(setting, text, host.origin(*setting.split(".")), BY_HAND.get(setting, NEVER))


def in_file(host: Host, setting: str, value: object, file: str, where: After, *, ours: bool = False) -> FixedSetting:
    """A setting that a file shows. ours: only one that this toolkit wrote."""
    return FixedSetting(fixed=declared(host, setting, value), of=file, look=LookupQuestion(file, (where,), ours))


def in_program(host: Host, setting: str, value: object, program: str, *path: After) -> FixedSetting:
    """A setting that the start script of a program under supervisord shows, or a file that it names."""
    look = LookupQuestion(f"{UNITS}/{program}.conf", (COMMAND, *path))
    return FixedSetting(fixed=declared(host, setting, value), of=program, look=look)


def flag(name: str, before: str = "") -> After:
    """The value of a flag in a start script, after a pattern."""
    return After(f"^ *'?--{name}={before}", "[^' ]+")


def field(name: str) -> After:
    """The value of a field in a file of YAML or JSON; of a list the first one."""
    return After(f'^ *"?{name}"?:', "[^'\" ,]+")


def checked_address(host: Host) -> Iterator[FixedSetting]:
    """The address that the host's programs are named after, and listen at."""
    peers = After("^ *--listen-peer-urls=https://", "[0-9.]+")
    places = {
        "etcd": ("etcd-server", peers),
        "masters": ("kube-apiserver", flag("advertise-address")),
        "nodes": ("kube-kubelet", flag("node-ip")),
    }
    for group, (program, where) in places.items():
        if group in host.groups:
            yield in_program(host, "ansible_host", address_of(host), program, where)


def checked_managed(host: Host, site: SiteSettings) -> Iterator[FixedSetting]:
    """Whose the cluster is that the host belongs to."""

    def told(program: str) -> FixedSetting:
        return in_program(host, "site.managed", site.managed, program, BY_US)

    if "masters" in host.groups:
        yield replace(told("kube-apiserver"), means="true")
    if "nodes" in host.groups:
        yield replace(told("kube-kubelet"), means="true")
        # in somebody else's cluster kube-proxy alone is started by us, and no certificate of ours is there
        ours = (f"{CERT}/ca.pem", f"{UNITS}/kube-kubelet.conf")
        yield replace(told("kube-proxy"), means="false", unless=ours)


def node_domain(host: Host, site: SiteSettings, program: str) -> Iterator[FixedSetting]:
    """The zone in which the node of this host is named; a host whose own name has a dot is in none."""
    if "." not in host.name:
        where = flag("hostname-override", "[^.]*[.]")
        yield in_program(host, "site.host_domain", site.host_domain, program, where)


def api_port(host: Host, site: SiteSettings, program: str) -> FixedSetting:
    """The port at which a program reaches the API, as its kubeconfig says."""
    server = After("^ *server: https:.*:", "[0-9]+")
    return in_program(host, "site.api_port", site.api_port, program, flag("kubeconfig"), server)


def edge_ports(host: Host, site: SiteSettings) -> Iterator[FixedSetting]:
    """The ports that an edge listens on for the API, and finds Traefik at, whichever program it has or had."""
    for file, api, nodes in (
        ("/etc/nginx/nginx.conf", "^ *listen ", "^ *upstream nodes .*# at port "),
        ("/etc/haproxy/haproxy.cfg", "^ *bind [*]:", "^backend nodes .*# at port "),
    ):
        if members(host, "masters"):
            yield in_file(host, "site.api_port", site.api_port, file, After(api, "[0-9]+"), ours=True)
        yield in_file(host, "site.traefik_port", site.traefik_port, file, After(nodes, "[0-9]+"), ours=True)
