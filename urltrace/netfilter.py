"""iptables-save: the rules that stop a connection, and those that lead a host's port to a pod."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

RULE = re.compile(r"^(?:\[\d+:\d+\] )?-A (?P<chain>\S+) (?P<words>.*)$", re.MULTILINE)
POLICY = re.compile(r"^:(?P<chain>\S+) (?P<policy>ACCEPT|DROP)\b", re.MULTILINE)
STOPS = re.compile(r"-j (REJECT|DROP)\b")
OWN = ("KUBE-", "CNI-", "FLANNEL-")  # chains that programs keep; what they drop is no packet of a client
DPORT = re.compile(r"(!)? ?--dports? (\S+)")
DESTINATION = re.compile(r"--to-destination (\S+)")
JUMP = re.compile(r"-j (\S+)")


@dataclass(frozen=True)
class Led:
    """A host port that is led to `address`:`port`; in the order of the rules."""

    address: str
    port: int
    line: str


def stopping(text: str, chain: str, *, source: str, destination: str, port: int) -> str:
    """The first rule of a chain, or of one that it jumps to, that stops such a connection; its policy; '' for none."""
    line = _stopping(text, chain, source, destination, port, 0)
    if line:
        return line
    policy = next((found["policy"] for found in POLICY.finditer(text) if found["chain"] == chain), "ACCEPT")
    return f":{chain} DROP" if policy == "DROP" else ""


def _stopping(text: str, chain: str, source: str, destination: str, port: int, depth: int) -> str:
    for found in RULE.finditer(text) if depth < 5 else ():
        words = found["words"]
        if found["chain"] != chain or not _applies(words, source, destination, port):
            continue
        if STOPS.search(words):
            return found[0]
        jump = JUMP.search(words)
        if jump and jump[1] == "ACCEPT" and not re.search(r"ctstate|state", words):
            return ""
        if jump and not jump[1].startswith(OWN):
            inner = _stopping(text, jump[1], source, destination, port, depth + 1)
            if inner:
                return inner
    return ""


def _applies(words: str, source: str, destination: str, port: int) -> bool:
    """Whether a rule can be about the connection. What is not understood counts as it does: a stop is then shown."""
    for option, address in (("-s", source), ("-d", destination)):
        found = re.search(rf"(! )?{option} (\S+)", words)
        if found and address and _holds(found[2], address) == bool(found[1]):
            return False
    if re.search(r"-p (udp|icmp|sctp)\b", words) or "-i lo" in words or "-o lo" in words:
        return False
    if re.search(r"(ctstate|state) (INVALID|RELATED|ESTABLISHED)", words) and "NEW" not in words:
        return False
    ports = DPORT.search(words)
    return ports is None or _holds_port(ports[2], port) != bool(ports[1])


def _holds(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return True


def _holds_port(ports: str, port: int) -> bool:
    for part in ports.split(","):
        first, _, last = part.partition(":")
        if first.isdigit() and int(first) <= port <= int(last or first):
            return True
    return False


def led(text: str, port: int) -> tuple[Led, ...]:
    """Where connections from outside to a host's port are led, by whatever chain does it, in the order of the rules."""
    return tuple(_led(text, "PREROUTING", port, 0))


def _led(text: str, chain: str, port: int, depth: int) -> Iterator[Led]:
    for rule in RULE.finditer(text) if depth < 5 else ():
        target, ports, jump = DESTINATION.search(rule["words"]), DPORT.search(rule["words"]), JUMP.search(rule["words"])
        if rule["chain"] != chain or (ports and (ports[1] or not _holds_port(ports[2], port))):
            continue
        if target and ports:
            address, _, number = target[1].rpartition(":")
            yield Led(address, int(number) if number.isdigit() else port, rule[0])
        elif jump and not jump[1].startswith("KUBE-"):
            yield from _led(text, jump[1], port, depth + 1)
