"""One rule that a kernel holds for a Service, whichever mode wrote it, and the state that it is classified as."""

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
class Rule:
    """Packets for `frontend` are led to `backend`.

    frontend: None when nothing leads to what is there. backend: None where packets are refused, or go nowhere.
    service: as the kernel's own rule names it, 'namespace/name:port' or ''. source: the chain, map or scheduler that
    holds it. weight: ipvs only. foreign: not written by kube-proxy.
    """

    mode: Mode
    frontend: Address | None
    backend: Address | None
    service: str
    source: str
    weight: int | None = None
    foreign: bool = False


@dataclass(frozen=True)
class ClassifiedRule:
    """A rule, its state, and why it is not simply known. service: its own, or the API's at its frontend."""

    rule: Rule
    state: State
    why: str = ""
    service: str = ""
