"""The lab's network: one namespace with a bridge, one for each host, cables between them, and ways in.

Nothing of it exists in the machine's own network: cables are made inside the switch's namespace. The switch has the
hosts' gateway address and forwards nowhere, because a ClusterIP needs some route before it is rewritten.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.state import Lab
from lab.topology import HostSpec, Topology
from provision.errors import FailedError, InputError, UnreachableError
from provision.usage import usage

NAMESPACES = Path("/run/netns")  # ip-netns(8)
CLONE_NEWNET = 0x40000000  # setns(2)
SWITCH = "switch"
PREFIX = "hdss7"


def namespace(lab: Lab, host: str) -> Path:
    """The file that names a host's network namespace; `ip netns exec` and nsenter know it."""
    return NAMESPACES / f"{PREFIX}.{lab.name}.{host}"


@contextmanager
def inside(path: Path) -> Iterator[None]:
    """The calling thread, and no other, works in this network namespace. Raises FileNotFoundError."""
    with open("/proc/thread-self/ns/net") as home, open(path) as there:
        _setns(there.fileno())
        try:
            yield
        finally:
            _setns(home.fileno())


def socket_inside(path: Path) -> socket.socket:
    """A TCP socket that belongs to a namespace for good; only making it needs the thread to be there."""
    with inside(path):
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def dial(host: str, port: int, timeout: float, lab: str = "main") -> socket.socket:
    """A TCP connection from the lab's ops host to one of its hosts (address or name): the inventory's `hdss7_dial`.

    The variable `hdss7_dial` is written `lab.network:dial NAME` by the lab itself. timeout: seconds.
    Raises UnreachableError when that lab is not up, OSError when the host doesn't answer.
    """
    return dial_in(Lab.named(lab), host, port, timeout)


def dial_in(lab: Lab, host: str, port: int, timeout: float, origin: str = "") -> socket.socket:
    """As `dial`, in this lab. origin: the host from which to connect, instead of the ops host."""
    try:
        topology = lab.topology()
        connection = socket_inside(namespace(lab, origin or topology.ops.name))
    except (FailedError, FileNotFoundError):
        raise UnreachableError(
            f"the lab {lab.name} is not up", host=host, do=f"Start it: {usage(f'lab.up{lab.option}')}"
        ) from None
    addresses = {spec.name: spec.address for spec in topology.hosts}
    try:
        connection.settimeout(timeout)
        connection.connect((addresses.get(host, host), port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def build(lab: Lab, topology: Topology) -> None:
    """Make the switch and the ops host's namespace; `plug` makes those of the booted hosts."""
    switch = _add(lab, SWITCH)
    _ip(switch, [
        "link set lo up",
        "link add br0 type bridge",
        f"addr add {topology.gateway}/{length(topology)} dev br0",
        "link set br0 up",
    ])  # fmt: skip
    with inside(switch):  # bridged frames are none of the switch's iptables' business
        _sysctl("net/bridge/bridge-nf-call-iptables", "0")
        _sysctl("net/ipv4/ip_forward", "1")
    plug(lab, topology, topology.ops)


def plug(lab: Lab, topology: Topology, host: HostSpec) -> Path:
    """Make a host's namespace, with eth0 cabled to the switch. Returns its path.

    A virtual machine has its own network already: it gets a cable whose other end its qemu holds, in the switch.
    """
    if host.virtual:
        cable = [f"tuntap add dev {port(host)} mode tap", f"link set {port(host)} master br0 up"]
        _ip(namespace(lab, SWITCH), cable)
        return namespace(lab, SWITCH)
    path = _add(lab, host.name)
    _ip(namespace(lab, SWITCH), [
        f"link add {port(host)} type veth peer name eth0 netns {path.name}",
        f"link set {port(host)} master br0 up",
    ])  # fmt: skip
    _ip(path, [
        "link set lo up",
        f"link set eth0 address {hardware_address(host)}",
        f"addr add {host.address}/{length(topology)} dev eth0",
        "link set eth0 up",
        f"route add default via {topology.gateway}",
    ])  # fmt: skip
    if host.behind:
        _shield(path, host, topology.host(host.behind))
    return path


def unplug(lab: Lab, host: HostSpec) -> None:
    """Remove a host's cable, then its namespace: the kernel takes its time with the latter's own devices."""
    if namespace(lab, SWITCH).exists():
        subprocess.run(
            ["ip", "-n", namespace(lab, SWITCH).name, "link", "del", port(host)],
            capture_output=True,
            check=False,
        )
    _delete(namespace(lab, host.name))


def remove(lab: Lab) -> None:
    """Remove every namespace that this lab made, and the folder of namespaces if no one else has any."""
    for path in made(lab):
        _delete(path)
    if NAMESPACES.is_mount() and not any(NAMESPACES.iterdir()):
        subprocess.run(["umount", str(NAMESPACES)], capture_output=True, check=False)


def made(lab: Lab) -> list[Path]:
    """The namespaces with this lab's mark, and the files that a reboot of the machine left of them."""
    found = sorted(NAMESPACES.glob(f"{PREFIX}.{lab.name}.*")) if NAMESPACES.is_dir() else []
    return [path for path in found if _mark(path) in (lab.mark, "")]


def _add(lab: Lab, name: str) -> Path:
    path = namespace(lab, name)
    if path.exists():
        if _mark(path) not in (lab.mark, ""):
            raise InputError(
                f"the namespace {path.name} belongs to another lab of this name, with its state elsewhere",
                do="Choose another name with --lab, or stop that one with its own XDG_STATE_HOME",
            )
        _delete(path)
    _run(["ip", "netns", "add", path.name])
    _ip(path, [f"link set lo alias {lab.mark}"])
    return path


def _mark(path: Path) -> str:
    """The mark on a namespace; empty for one that was cut off before it got one, or is none any more."""
    shown = subprocess.run(
        ["ip", "-n", path.name, "-j", "link", "show", "lo"], capture_output=True, text=True, check=False
    )
    links = json.loads(shown.stdout or "[]") if shown.returncode == 0 else []
    return str(links[0].get("ifalias", "")) if links else ""


def _delete(path: Path) -> None:
    if path.exists():
        _run(["ip", "netns", "del", path.name])


def _shield(path: Path, host: HostSpec, jump: HostSpec) -> None:
    """Only the jump host reaches the SSH port: the rest of the host stays as reachable as the site needs it."""
    rule = f"tcp dport {host.port} ip saddr != {jump.address} drop"
    table = f"table inet lab {{ chain input {{ type filter hook input priority -10\n{rule}\n}}\n}}\n"
    _run(["nsenter", f"--net={path}", "nft", "-f", "-"], table)


def hardware_address(host: HostSpec) -> str:
    """The same after each power cycle, as a real card's: the neighbours remember it for a minute."""
    return "02:00:" + ":".join(f"{part:02x}" for part in _octets(host))


def port(host: HostSpec) -> str:
    """The switch's end of the cable: 15 characters are the most that a device's name may have."""
    return "port" + bytes(_octets(host)).hex()


def _octets(host: HostSpec) -> list[int]:
    return [int(part) for part in host.address.split(".")]


def length(topology: Topology) -> str:
    """Of the network's prefix, in bits."""
    return topology.network.split("/")[1]


def _ip(path: Path, lines: list[str]) -> None:
    _run(["ip", "-n", path.name, "-batch", "-"], "\n".join(lines) + "\n")


def _run(argv: list[str], stdin: str = "") -> None:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedError(f"the lab's network could not be made: {' '.join(argv)} failed", found=done.stderr.strip())


def _sysctl(name: str, value: str) -> None:
    """/proc/sys/net shows the namespace of the thread that opens it. A kernel without bridge filters lacks the file."""
    file = Path("/proc/sys") / name
    if file.exists():
        file.write_text(value)


def _setns(descriptor: int) -> None:
    """os.setns came with Python 3.12; the C library has it on every Linux."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
