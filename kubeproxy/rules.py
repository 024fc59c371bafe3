"""One thing that a kernel holds for a Service, whichever mode wrote it; and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provision.resources.kubernetes.proxy_rules import Mode

State = Literal["known", "stale", "draining", "foreign"]
NODE = "*"  # every address of the node: a node port


@dataclass(frozen=True, order=True)
class Address:
    """Where packets go: an address of a Service or a pod, NODE for a node port. protocol: tcp, udp, sctp or fwm."""

    ip: str
    protocol: str
    port: int

    def __str__(self) -> str:
        if self.protocol == "fwm":
            return f"firewall mark {self.port}"
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{ip}:{self.port}/{self.protocol}"

    @property
    def bare(self) -> str:
        """Without the protocol, as it is written for where packets are led to; of a firewall mark the number."""
        return str(self).rpartition("/")[0] or str(self.port)


@dataclass(frozen=True)
class Line:
    """Packets for `asked` are led to `to`.

    asked: None when nothing leads to what is there. to: None where they are refused, or go nowhere. service: as the
    rule itself says, 'namespace/name:port' or ''. at: chain, map or virtual server that holds it. weight: ipvs only.
    foreign: not written by kube-proxy.
    """

    mode: Mode
    asked: Address | None
    to: Address | None
    service: str
    at: str
    weight: int | None = None
    foreign: bool = False


@dataclass(frozen=True)
class Judged:
    """A line, its state, and why it is not simply known. service: that it is of, where the line itself does not say."""

    line: Line
    state: State
    why: str = ""
    service: str = ""
