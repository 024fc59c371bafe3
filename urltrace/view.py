"""Evidence, read: each answer parsed once, and None where it was not asked or can't be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

import msgspec

from urltrace.conntrack import Flow, flows
from urltrace.evidence import OUTSIDE, Answer, Evidence, Host
from urltrace.exchange import Exchange, read_exchange
from urltrace.haproxy import STOPPED, HAProxy, read_haproxy
from urltrace.kubernetes.endpoints import Address, addresses
from urltrace.kubernetes.objects import Objects, Service, ServicePort, read_objects
from urltrace.kubernetes.pods import Pod
from urltrace.nginx.choice import NginxChoice, choose
from urltrace.nginx.syntax import ConfigurationError, Directive, parse_dump
from urltrace.traefik.ingress import Read, normalized, read_ingresses
from urltrace.traefik.logged import CUT, Logged, logged
from urltrace.traefik.provider import Provider, read_provider
from urltrace.traefik.routers import Choice, Loaded, Router, read_rawdata
from urltrace.traefik.routers import choose as choose_router

KINDS = ("Ingress", "IngressClass", "Service", "EndpointSlice", "Pod", "Node", "ClusterRole", "ClusterRoleBinding")

T = TypeVar("T")


class View:
    """What rules read."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.site = evidence.site
        self.request = evidence.sent

    def exchange(self, kind: str, target: str, location: str) -> Exchange | None:
        """An HTTP request that was sent to `target` from `location`. kind: name, edge, node, traefik or pod."""
        answer = self.evidence.answer(f"http {kind} {target}".rstrip(), location)
        if answer is None and kind == "node":  # what a large request got stands for a small one, until that was silent
            answer = self.evidence.answer(f"http large {target}", location)
        return read_exchange(answer) if answer else None

    def exchanges(self, kind: str, location: str = "") -> tuple[Exchange, ...]:
        """Every request of a kind, from one location or from all."""
        found = self.evidence.about(f"http {kind}", location)
        return tuple(read_exchange(answer) for answer in found if answer.question.split()[1] == kind)

    def node_target(self, node: Host) -> str:
        """Where Traefik answers on a node."""
        return f"{node.address}:{self.site.traefik_port}"

    def from_edges(self, node: Host) -> tuple[Exchange, ...]:
        """What each edge got from a node."""
        found = (self.exchange("node", self.node_target(node), edge.name) for edge in self.site.edges)
        return tuple(one for one in found if one)

    def on_node(self, node: Host) -> Exchange | None:
        """What a node got from its own port."""
        return self.exchange("node", self.node_target(node), node.name)

    @cached_property
    def lost_behind(self) -> bool:
        """Whether a pod gives no answer to a node, or to a Traefik: chance decides then which request gets one."""
        nodes = self.site.nodes
        cut = any(one.status in CUT for node in nodes for one in self.logged(node)) or any(map(self.waiting, nodes))
        return cut or any(one.outcome != "answered" for one in self.exchanges("pod"))

    def waiting(self, node: Host) -> tuple[Flow, ...]:
        """Connections of a node's Traefik to pods that nobody answers just now."""
        answer, pod = self.evidence.answer("connections", node.name), self.traefik_pod(node)
        pods = {one.answer.question.split()[2] for one in self.exchanges("pod")}
        source = pod.status.pod_ip if pod else ""
        every = flows(answer.output) if answer and source else ()
        return tuple(one for one in every if one.waits and one.source == source and one.target in pods)

    @cached_property
    def whole(self) -> Exchange | None:
        """The request as a client sends it."""
        return self.exchange("name", "", OUTSIDE)

    @cached_property
    def configurations(self) -> dict[str, Directive]:
        """The configuration of each edge's nginx that could be read, by host."""
        return self._read(self.site.edges, "nginx -T", parse_dump, ConfigurationError)

    @cached_property
    def edge_choices(self) -> dict[str, NginxChoice]:
        """What each edge does with the request, by host."""
        found = {}
        for edge in self.site.edges:
            with suppress(ConfigurationError):
                if edge.name in self.configurations:
                    main = self.configurations[edge.name]
                    found[edge.name] = choose(main, self.request, edge.address, self.request.port)
        return found

    @cached_property
    def holders(self) -> tuple[str, ...] | None:
        """The edges that have the address which moves between them; None where none moves, or one was not asked."""
        vip, edges = self.site.vip, self.site.edges
        answers = [answer for edge in edges if (answer := self.evidence.answer("addresses", edge.name))]
        if not vip or len(answers) < len(edges) or any(edge.address == vip for edge in edges):
            return None
        return tuple(answer.location for answer in answers if re.search(rf"\binet {re.escape(vip)}/", answer.output))

    @cached_property
    def haproxy_edges(self) -> frozenset[str]:
        """The edges whose program is HAProxy, whether it runs or not."""
        enabled = {edge.name: self.evidence.answer("edge program", edge.name) for edge in self.site.edges}
        return frozenset(name for name, answer in enabled.items() if answer and "haproxy" in answer.output.split())

    def stopped(self, edge: str) -> tuple[str, ...]:
        """The ids of processes of an edge's program that do not run on (SIGSTOP)."""
        answer = self.evidence.answer("haproxy" if edge in self.haproxy_edges else "nginx-state", edge)
        return tuple(STOPPED.findall(answer.output)) if answer else ()

    def program(self, edge: str) -> str:
        """The program of an edge, as people write its name."""
        return "HAProxy" if edge in self.haproxy_edges else "nginx"

    @cached_property
    def haproxies(self) -> dict[str, HAProxy]:
        """What each edge's HAProxy has said, by host."""
        edges = (edge for edge in self.site.edges if edge.name in self.haproxy_edges)
        return self._read(edges, "haproxy", read_haproxy, ValueError)

    @cached_property
    def drained(self) -> tuple[Host, ...]:
        """Nodes that every edge whose configuration is known leaves out: no request gets there."""
        known = [choice.proxied for choice in self.edge_choices.values() if choice.proxied and choice.proxied.asked]
        servers = [one for haproxy in self.haproxies.values() for one in haproxy.nodes(self.site.traefik_port)]
        asked = {one.address for proxied in known for one in proxied.asked} | {s.address for s in servers if not s.out}
        down = {one.address for proxied in known for one in proxied.backends if one.down}
        down |= {server.address for server in servers if server.out}
        return tuple(node for node in self.site.nodes if node.address in down - asked)

    @cached_property
    def loaded(self) -> dict[str, Loaded]:
        """What the Traefik of each node has loaded, by host."""
        return self._read(self.site.nodes, "rawdata", read_rawdata, msgspec.MsgspecError)

    def _read(
        self, hosts: Iterable[Host], question: str, read: Callable[[str], T], unread: type[Exception]
    ) -> dict[str, T]:
        """What each host's answer says, by host; without those that have none, or one that can't be read."""
        found = {}
        for host in hosts:
            answer = self.evidence.answer(question, host.name)
            with suppress(unread):
                if answer and answer.output:
                    found[host.name] = read(answer.output)
        return found

    @cached_property
    def choices(self) -> dict[str, Choice]:
        """Which router of each node's Traefik takes the request, by host."""
        entrypoint = self.entrypoint
        return {name: choose_router(loaded.routers, self.request, entrypoint) for name, loaded in self.loaded.items()}

    def logged(self, node: Host) -> tuple[Logged, ...]:
        """What the Traefik of a node has written of this trace's requests."""
        answer = self.evidence.answer("requests", node.name)
        return logged(answer.output) if answer else ()

    @cached_property
    def objects_answer(self) -> Answer | None:
        """The first answer that holds objects."""
        return next((one for one in self.evidence.about("objects") if one.code == 0 and one.output), None)

    @cached_property
    def objects(self) -> Objects | None:
        answer = self.objects_answer
        try:
            found = read_objects([json.loads(answer.output)], KINDS) if answer else None
        except (ValueError, msgspec.MsgspecError):
            return None
        return replace(found, missing_secrets=self._missing_secrets(answer.location)) if found and answer else None

    def _missing_secrets(self, master: str) -> frozenset[str]:
        """Those of which the API says that they are not there."""
        asked = self.evidence.answer("tls secrets", master)
        codes = (line.rpartition(" ") for line in asked.output.splitlines()) if asked else ()
        return frozenset(name for name, _, code in codes if code == "404")

    @cached_property
    def now(self) -> datetime:
        """When the hosts were asked."""
        return datetime.fromisoformat(self.evidence.at) if self.evidence.at else datetime.now(UTC)

    def traefik_pod(self, node: Host) -> Pod | None:
        """The pod with the host port of a node."""
        return next((pod for pod in self.traefik_pods if pod.status.host_ip == node.address), None)

    @cached_property
    def traefik_pods(self) -> tuple[Pod, ...]:
        port = self.site.traefik_port
        pods = self.objects.pods or () if self.objects else ()
        return tuple(
            pod for pod in pods if any(held.host_port == port for one in pod.spec.containers for held in one.ports)
        )

    @cached_property
    def provider(self) -> Provider | None:
        """The flags of Traefik; None when no pod of it is known."""
        arguments = [one.args for pod in self.traefik_pods for one in pod.spec.containers if one.args]
        return read_provider(arguments[0]) if arguments else None

    @cached_property
    def entrypoint(self) -> str:
        """The entry point behind the host port."""
        ports = [
            held.container_port
            for pod in self.traefik_pods
            for one in pod.spec.containers
            for held in one.ports
            if held.host_port == self.site.traefik_port
        ]
        return (self.provider.entrypoint(ports[0]) if self.provider and ports else "") or "web"

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """Every Ingress as this Traefik should read it."""
        return read_ingresses(self.objects, self.provider) if self.objects and self.provider else ()

    def backend(self, router: Router) -> tuple[Service, ServicePort] | None:
        """The Service and the port behind a router that is made of an Ingress."""
        wanted, namespace = router.service.partition("@")[0], router.ingress.partition("/")[0]
        for one in self.objects.services or () if self.objects else ():
            held = one.metadata.namespace
            for port in one.spec.ports if namespace in ("", held) else ():
                names = (f"{held}-{one.metadata.name}-{name}" for name in (port.port, port.name) if name)
                if wanted in map(normalized, names):
                    return one, port
        return None

    @cached_property
    def serving_pods(self) -> frozenset[str]:
        """NAMESPACE/NAME of the pods behind the routers that take the request."""
        winners = [choice.winner for choice in self.choices.values() if choice.winner]
        held = [found for router in winners if (found := self.backend(router))]
        ips = {address.ip for service, port in held for address in self.endpoints(service, port)}
        pods = self.objects.pods or () if self.objects else ()
        return frozenset(pod.key for pod in pods if pod.status.pod_ip in ips)

    def endpoints(self, service: Service, port: ServicePort) -> tuple[Address, ...]:
        """Where the pods of a Service answer."""
        return addresses(self.objects, service, port) if self.objects else ()
