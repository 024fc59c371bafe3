"""A node that filters by the reverse path: it drops what comes in where its own route back does not go out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from urltrace.evidence import Answer, Host
from urltrace.finding import Finding, Hop, Proof, proof
from urltrace.rules.unserved import whole_ok
from urltrace.view import View

DROPS = re.compile(
    r"^from (?P<source>[\d./]+) iif (?P<device>\S+): .*Invalid (?:argument|cross-device link); back: (?P<back>.*)$",
    re.MULTILINE,
)
BACK = re.compile(r" dev (\S+)")
MODE = re.compile(r"^net\.ipv4\.conf\.(\S+)\.rp_filter\s*=\s*(\d)", re.MULTILINE)
COUNTED = re.compile(r"^IPReversePathFilter (\d+) (\d+)$", re.MULTILINE)
STRICT = 1


@dataclass(frozen=True)
class Dropped:
    """Packets that a node drops. source: an address, or a network. device: where they come in. back: the route back."""

    source: str
    device: str
    back: str
    line: str

    def of(self, address: str) -> bool:
        """Whether packets from this address are among them."""
        return bool(address) and ip_address(address) in ip_network(self.source, strict=False)


def dropped(answer: Answer | None) -> tuple[Dropped, ...]:
    """What the kernel says that it drops, where its filter is strict and the route back is by another device.

    The higher number of the interface's and of all is the kernel's: 2 is loose.
    """
    modes = {name: int(mode) for name, mode in MODE.findall(answer.output)} if answer else {}
    found = (
        Dropped(one["source"], one["device"], one["back"].strip(), one[0])
        for one in DROPS.finditer(answer.output if answer else "")
    )
    return tuple(
        one
        for one in found
        if max(modes.get("all", 0), modes.get(one.device, 0)) == STRICT
        and (way := BACK.search(one.back))
        and way[1] != one.device
    )


def from_edges(view: View) -> Iterator[Finding]:
    """A node drops what an edge sends."""
    for node in view.site.nodes:
        answer = view.evidence.answer("reverse path", node.name)
        for one in dropped(answer):
            for edge in view.site.edges:
                found = view.exchange("node", view.node_target(node), edge.name)
                if one.of(edge.address) and found and found.outcome == "no connection":
                    seen = proof(found.answer, str(found))
                    yield _finding(
                        "link", node, one, f"{edge.name} ({edge.address})", (*seen, *_proof(answer, node, one))
                    )


def from_pods(view: View) -> Iterator[Finding]:
    """A node drops what another node's Traefik sends to its pods."""
    for node in view.site.nodes:
        answer = view.evidence.answer("reverse path", node.name)
        for one in dropped(answer):
            for peer in view.site.nodes:
                pod = view.traefik_pod(peer) if peer != node else None
                if pod and one.of(pod.status.pod_ip):
                    who = f"Traefik on {peer.name} ({one.source})"
                    yield _finding("pod", node, one, who, _proof(answer, node, one), latent=whole_ok(view))


def _finding(hop: Hop, node: Host, one: Dropped, who: str, seen: tuple[Proof, ...], *, latent: bool = False) -> Finding:
    setting = f"net.ipv4.conf.{one.device}.rp_filter"
    way = BACK.search(one.back)
    back = way[1] if way else "another device"
    return Finding(
        hop=hop,
        cause="reverse-path",
        where=f"{setting} on {node.name}",
        sentence=f"the kernel of {node.name} drops what {who} sends it at {one.device}: {setting} is strict, and its "
        f"route back goes by {back}",
        do=f"On {node.name}: sysctl -w {setting}=2 (loose), and the same in /etc/sysctl.d; or mend the route: "
        f"{one.back}",
        proof=seen,
        latent=latent,
    )


def _proof(answer: Answer | None, node: Host, one: Dropped) -> tuple[Proof, ...]:
    """The kernel's own word, the settings, and its counter before and after."""
    text = answer.output if answer else ""
    counted = COUNTED.search(text)
    lines = (*(found[0] for found in MODE.finditer(text)), *((counted[0],) if counted else ()))
    return tuple(shown for line in (one.line, "; ".join(lines)) if line for shown in proof(answer, line))
