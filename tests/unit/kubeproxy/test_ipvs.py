"""/proc/net/ip_vs as rules for Services, and the commands that remove stale ones and nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeproxy import ipvs
from kubeproxy.ipvs import Real, Virtual
from kubeproxy.rules import Address, Rule

IP_VS = (Path(__file__).parent / "recorded" / "ip_vs.txt").read_text()  # Linux 6.1


def tcp(ip: str, port: int) -> Address:
    return Address(ip, "tcp", port)


def test_addresses_and_ports_are_read_out_of_hexadecimal() -> None:
    assert ipvs.parse(IP_VS) == (
        Virtual(tcp("10.4.7.10", 443), "wlc", (Real(tcp("10.4.7.22", 443), 100, 0),)),
        Virtual(
            tcp("192.168.0.1", 443),
            "nq",
            (Real(tcp("10.4.7.22", 6443), 0, 0), Real(tcp("10.4.7.21", 6443), 1, 0)),
        ),
        Virtual(Address("192.168.0.2", "udp", 53), "rr", (Real(Address("172.7.21.2", "udp", 53), 1, 0),)),
        Virtual(tcp("10.4.7.23", 8000), "rr", (Real(tcp("172.7.21.4", 80), 1, 0),)),
        Virtual(tcp("fd00::7", 80), "rr", (Real(tcp("fd00::8", 8080), 1, 0),)),
        Virtual(tcp("fd00::8", 80), "rr"),
        Virtual(tcp("192.168.9.9", 80), "rr"),
        Virtual(Address("", "fwm", 7), "wlc", (Real(Address("10.4.7.22", "fwm", 0), 100, 0),)),
    )


def test_a_real_server_is_a_rule_with_its_weight_or_foreign() -> None:
    named = ("foreign TCP 10.4.7.10:443", "foreign FWM 7", "foreign TCP [fd00:0:0:0:0:0:0:8]:80")
    lines = list(ipvs.rules(ipvs.parse(IP_VS), {ipvs.named(rule) for rule in named}))
    assert [rule.weight for rule in lines] == [100, 0, 1, 1, 1, 1, None, None, 100]
    assert [lines.index(rule) for rule in lines if rule.foreign] == [0, 6, 8]
    assert lines[7].backend is None


def test_a_stale_service_is_removed_with_its_address() -> None:
    servers = ipvs.parse(IP_VS)
    lines = list(ipvs.rules(servers, ()))
    assert ipvs.removal_script(servers, [lines[2]]) == "ipvsadm -d -t 192.168.0.1:443 -r 10.4.7.21:6443\n"
    assert ipvs.removal_script(servers, [lines[7]]) == (
        "ipvsadm -D -t 192.168.9.9:80\nip addr del 192.168.9.9 dev kube-ipvs0 2>/dev/null || :\n"
    )
    assert ipvs.removal_script(servers, [lines[5]]).startswith("ipvsadm -D -t '[fd00::7]:80'\n")


def test_an_address_stays_while_another_port_of_it_is_served() -> None:
    servers = (Virtual(tcp("192.168.0.2", 53), "rr"), Virtual(tcp("192.168.0.2", 9153), "rr"))
    stale = [rule for rule in ipvs.rules(servers, ()) if rule.frontend == tcp("192.168.0.2", 9153)]
    assert ipvs.removal_script(servers, stale) == "ipvsadm -D -t 192.168.0.2:9153\n"


addresses = st.builds(
    Address,
    st.ip_addresses(v=4).map(str),
    st.sampled_from(["tcp", "udp", "sctp"]),
    st.integers(1, 65535),
)


@st.composite
def virtual_servers(draw: st.DrawFn) -> tuple[Virtual, ...]:
    made = []
    for address in draw(st.sets(addresses, max_size=5)):
        ends = draw(st.sets(st.tuples(st.ip_addresses(v=4).map(str), st.integers(1, 65535)), max_size=4))
        reals = [Real(Address(ip, address.protocol, port), draw(st.integers(0, 100)), 0) for ip, port in ends]
        made.append(Virtual(address, "rr", tuple(reals)))
    return tuple(made)


def printed(servers: Sequence[Virtual]) -> str:
    """As the kernel prints them."""

    def hexadecimal(address: Address) -> str:
        return "".join(f"{int(octet):02X}" for octet in address.ip.split(".")) + f":{address.port:04X}"

    text = ""
    for server in servers:
        text += f"{server.address.protocol.upper():4} {hexadecimal(server.address)} {server.scheduler}\n"
        for real in server.reals:
            text += f"  -> {hexadecimal(real.address)}      Masq    {real.weight}      {real.connections}          0\n"
    return text


def done(servers: Sequence[Virtual], commands: str) -> tuple[Virtual, ...]:
    """What is left after these commands of ipvsadm."""
    held = {(ipvs.OPTIONS[s.address.protocol], s.address.bare): s for s in servers}
    for words in map(shlex.split, commands.splitlines()):
        if words[1] == "-D":
            del held[(words[2], words[3])]
        elif words[1] == "-d":
            server = held[(words[2], words[3])]
            left = tuple(real for real in server.reals if real.address.bare != words[5])
            assert len(left) == len(server.reals) - 1
            held[(words[2], words[3])] = Virtual(server.address, server.scheduler, left)
    return tuple(held.values())


@given(virtual_servers(), st.data())
@settings(max_examples=30, deadline=None)
def test_only_stale_rules_are_removed(servers: tuple[Virtual, ...], data: st.DataObject) -> None:
    assert ipvs.parse(printed(servers)) == servers
    before = list(ipvs.rules(servers, ()))
    stale: set[Rule] = data.draw(st.sets(st.sampled_from(before))) if before else set()
    after = set(ipvs.rules(done(servers, ipvs.removal_script(servers, stale)), ()))
    assert after == set(before) - stale
