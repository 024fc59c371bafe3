"""What the API knows of Services and their endpoints. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeproxy.rules import NODE, Address

SLICE_OF = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Port:
    """One port of a Service: where it is asked for, and where its endpoints take it."""

    service: str
    asked: frozenset[Address]
    endpoints: frozenset[Address] = frozenset()


@dataclass(frozen=True)
class Cluster:
    """All Service ports."""

    ports: tuple[Port, ...] = ()
    by_address: Mapping[Address, Port] = field(default_factory=dict)
    services: frozenset[str] = frozenset()  # namespace/name

    @staticmethod
    def of(ports: Iterable[Port]) -> Cluster:
        """Of ports, each findable by every address that it is asked for at."""
        every = tuple(ports)
        names = frozenset(port.service.partition(":")[0] for port in every)
        return Cluster(every, {address: port for port in every for address in port.asked}, names)


def parse(text: str) -> Cluster:
    """What `kubectl get services,endpointslices -A -o json` printed. Raises ValueError for anything else."""
    items = json.loads(text)["items"]
    slices: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for item in items:
        if item["kind"] == "EndpointSlice":
            meta = item["metadata"]
            slices.setdefault((meta["namespace"], meta.get("labels", {}).get(SLICE_OF, "")), []).append(item)
    ports: list[Port] = []
    for item in items:
        if item["kind"] == "Service":
            meta = item["metadata"]
            ports += _ports(item, slices.get((meta["namespace"], meta["name"]), []))
    return Cluster.of(ports)


def _ports(service: Mapping[str, Any], slices: Iterable[Mapping[str, Any]]) -> Iterator[Port]:
    meta, spec = service["metadata"], service["spec"]
    balanced = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    ips = [
        *(ip for ip in spec.get("clusterIPs", [spec.get("clusterIP", "")]) if ip and ip != "None"),
        *spec.get("externalIPs", []),
        *(each["ip"] for each in balanced if each.get("ip")),
    ]
    slices = list(slices)
    for port in spec.get("ports", []):
        name, protocol = port.get("name") or "", port.get("protocol", "TCP").lower()
        asked = {Address(ip, protocol, port["port"]) for ip in ips}
        if port.get("nodePort"):
            asked.add(Address(NODE, protocol, port["nodePort"]))
        label = f"{meta['namespace']}/{meta['name']}" + (f":{name}" if name else "")
        yield Port(label, frozenset(asked), frozenset(_endpoints(slices, name, protocol)))


def _endpoints(slices: Iterable[Mapping[str, Any]], name: str, protocol: str) -> Iterator[Address]:
    """Every endpoint that is listed, ready or not: one that ends its work is still known."""
    for each in slices:
        for port in each.get("ports") or ():
            if (
                (port.get("name") or "") == name
                and port.get("protocol", "TCP").lower() == protocol
                and port.get("port")
            ):
                for endpoint in each.get("endpoints") or ():
                    yield from (Address(ip, protocol, port["port"]) for ip in endpoint.get("addresses", ()))
