"""/proc/net/ip_vs read as rules for Services, and the commands that remove stale ones. Pure.

Read there and not from ipvsadm: the kernel prints it whether or not ipvsadm is installed. Addresses and ports are in
hexadecimal (net/netfilter/ipvs/ip_vs_ctl.c):

    TCP  C0A80001:01BB nq
      -> 0A040715:192B      Masq    1      0          0
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from kubeproxy.rules import NODE, Address, Rule
from provision.remote.shell import quote

OPTIONS: Mapping[str, str] = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service", "fwm": "-f"}


@dataclass(frozen=True)
class Real:
    """One real server: packets are led there as far as its weight goes; with 0 only those of running connections."""

    address: Address
    weight: int
    connections: int


@dataclass(frozen=True)
class Virtual:
    """A virtual server. fwm: a firewall mark, with the mark as its port."""

    address: Address
    scheduler: str
    reals: tuple[Real, ...] = ()


def parse(text: str) -> tuple[Virtual, ...]:
    """Virtual servers, in the kernel's order. What is neither of them nor a real server is passed over."""
    found: list[Virtual] = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0].lower() in OPTIONS and len(words) > 2:
            found.append(Virtual(_address(words[1], words[0].lower()), words[2]))
        elif found and len(words) == 6 and words[0] == "->" and words[3].isdigit():
            last = found[-1]
            real = Real(_address(words[1], last.address.protocol), int(words[3]), int(words[4]))
            found[-1] = Virtual(last.address, last.scheduler, (*last.reals, real))
    return tuple(found)


def rules(servers: Collection[Virtual], foreign: Collection[Address]) -> Iterator[Rule]:
    """A rule for each real server, and one for a virtual server that has none. foreign: servers of other programs."""
    for server in servers:
        other = server.address in foreign
        if not server.reals:
            yield Rule("ipvs", server.address, None, "", server.scheduler, foreign=other)
        for real in server.reals:
            yield Rule("ipvs", server.address, real.address, "", server.scheduler, real.weight, foreign=other)


def removal_script(servers: Collection[Virtual], stale: Collection[Rule]) -> str:
    """sh that removes the stale rules alone; '' when there is nothing to do."""
    commands: list[str] = []
    kept: set[str] = set()
    idle: dict[str, None] = {}
    for server in servers:
        mine = [rule for rule in rules([server], ()) if rule in stale]
        option, name = OPTIONS[server.address.protocol], quote(server.address.bare)
        if mine and len(mine) == max(1, len(server.reals)):
            commands.append(f"ipvsadm -D {option} {name}")
            idle[server.address.ip] = None
            continue
        kept.add(server.address.ip)
        commands += [f"ipvsadm -d {option} {name} -r {quote(rule.backend.bare)}" for rule in mine if rule.backend]
    # the address of a Service that has no virtual server left: as long as it is here, packets for it end here
    commands += [
        f"ip addr del {quote(ip)} dev kube-ipvs0 2>/dev/null || :" for ip in idle if ip not in kept and ip != NODE
    ]
    return "".join(f"{command}\n" for command in commands)


def _address(text: str, protocol: str) -> Address:
    if protocol == "fwm" and ":" not in text:
        return Address("", protocol, int(text, 16))
    ip, _, port = text.rpartition(":")
    if ip.startswith("["):
        return Address(str(IPv6Address(ip.strip("[]"))), protocol, int(port, 16))
    return Address(str(IPv4Address(int(ip, 16))), protocol, int(port, 16))


def named(line: str) -> Address:
    """`foreign TCP 10.4.7.10:443` as the address of its virtual server."""
    _, protocol, server = line.split()
    ip, _, port = server.rpartition(":")
    return Address(str(IPv6Address(ip.strip("[]"))) if ip.startswith("[") else ip, protocol.lower(), int(port))
