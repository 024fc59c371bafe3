"""Objects as `kubectl get … -o json` prints them: the fields that a trace reads, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec

from provision.decoding import convert
from urltrace.kubernetes.base import Object, Struct
from urltrace.kubernetes.pods import Pod, PodCondition


class BackendPort(Struct, frozen=True):
    name: str = ""
    number: int = 0

    def __str__(self) -> str:
        return self.name or str(self.number)


class BackendService(Struct, frozen=True):
    name: str = ""
    port: BackendPort = BackendPort()


class Backend(Struct, frozen=True):
    service: BackendService | None = None
    resource: dict[str, Any] | None = None


class IngressPath(Struct, frozen=True):
    backend: Backend = Backend()
    path: str = ""
    path_type: str | None = None


class IngressHttp(Struct, frozen=True):
    paths: tuple[IngressPath, ...] = ()


class IngressRule(Struct, frozen=True):
    host: str = ""
    http: IngressHttp | None = None


class IngressTls(Struct, frozen=True):
    secret_name: str = ""
    hosts: tuple[str, ...] = ()


class IngressSpec(Struct, frozen=True):
    ingress_class_name: str | None = None
    default_backend: Backend | None = None
    rules: tuple[IngressRule, ...] = ()
    tls: tuple[IngressTls, ...] = ()


class Ingress(Object, frozen=True):
    spec: IngressSpec = IngressSpec()


class IngressClassSpec(Struct, frozen=True):
    controller: str = ""


class IngressClass(Object, frozen=True):
    spec: IngressClassSpec = IngressClassSpec()


class ServicePort(Struct, frozen=True):
    port: int = 0
    name: str = ""
    protocol: str = "TCP"
    target_port: int | str = 0
    node_port: int = 0


class ServiceSpec(Struct, frozen=True):
    type: str = "ClusterIP"
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] = msgspec.field(default_factory=dict)
    external_name: str = ""
    cluster_ip: str = msgspec.field(default="", name="clusterIP")


class Service(Object, frozen=True):
    spec: ServiceSpec = ServiceSpec()


class SlicePort(Struct, frozen=True):
    name: str | None = None
    port: int | None = None


class Conditions(Struct, frozen=True):
    """None means true, as the API documents it."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Target(Struct, frozen=True):
    kind: str = ""
    name: str = ""


class Endpoint(Struct, frozen=True):
    addresses: tuple[str, ...] = ()
    conditions: Conditions = Conditions()
    node_name: str = ""
    target_ref: Target | None = None


class EndpointSlice(Object, frozen=True):
    ports: tuple[SlicePort, ...] | None = ()
    endpoints: tuple[Endpoint, ...] | None = ()

    @property
    def service(self) -> str:
        """The Service that it belongs to, 'namespace/name'."""
        return f"{self.metadata.namespace}/{self.metadata.labels.get('kubernetes.io/service-name', '')}"


class NodeAddress(Struct, frozen=True):
    type: str = ""
    address: str = ""


class NodeStatus(Struct, frozen=True):
    conditions: tuple[PodCondition, ...] = ()
    addresses: tuple[NodeAddress, ...] = ()


class Node(Object, frozen=True):
    status: NodeStatus = NodeStatus()

    @property
    def ready(self) -> bool:
        return any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)

    def has(self, address: str) -> bool:
        return any(one.address == address for one in self.status.addresses)


class PolicyRule(Struct, frozen=True):
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class ClusterRole(Object, frozen=True):
    rules: tuple[PolicyRule, ...] | None = ()


class Subject(Struct, frozen=True):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class RoleRef(Struct, frozen=True):
    kind: str = ""
    name: str = ""


class ClusterRoleBinding(Object, frozen=True):
    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] | None = ()


@dataclass(frozen=True)
class Objects:
    """What the API listed. A kind that was not asked for is None: unasked is not missing.

    missing_secrets: 'namespace/name' of those that Ingresses name for TLS, and that are not there.
    """

    ingresses: tuple[Ingress, ...] | None = None
    classes: tuple[IngressClass, ...] | None = None
    services: tuple[Service, ...] | None = None
    slices: tuple[EndpointSlice, ...] | None = None
    pods: tuple[Pod, ...] | None = None
    nodes: tuple[Node, ...] | None = None
    roles: tuple[ClusterRole, ...] | None = None
    bindings: tuple[ClusterRoleBinding, ...] | None = None
    missing_secrets: frozenset[str] = frozenset()

    def service(self, key: str) -> Service | None:
        return next((one for one in self.services or () if one.key == key), None)

    def slices_of(self, service: str) -> tuple[EndpointSlice, ...]:
        return tuple(one for one in self.slices or () if one.service == service)

    def changed(self, other: Objects) -> Objects:
        """These with the objects of `other` put in their place, or added, as `kubectl apply` would."""
        merged: dict[str, Any] = {}
        for name in _KINDS.values():
            new = getattr(other, name[0])
            if new is not None:
                keys = {one.key for one in new}
                merged[name[0]] = (*(one for one in getattr(self, name[0]) or () if one.key not in keys), *new)
        return replace(self, **merged)


_KINDS: dict[str, tuple[str, type[Object]]] = {
    "Ingress": ("ingresses", Ingress),
    "IngressClass": ("classes", IngressClass),
    "Service": ("services", Service),
    "EndpointSlice": ("slices", EndpointSlice),
    "Pod": ("pods", Pod),
    "Node": ("nodes", Node),
    "ClusterRole": ("roles", ClusterRole),
    "ClusterRoleBinding": ("bindings", ClusterRoleBinding),
}


def read_objects(documents: Iterable[Any], kinds: Iterable[str] = ()) -> Objects:
    """Objects out of decoded JSON or YAML, lists flattened; other kinds are skipped.

    kinds: those that were asked for, so that none of them means that there are none. Raises msgspec.ValidationError.
    """
    found: dict[str, list[Object]] = {_KINDS[kind][0]: [] for kind in kinds}
    for document in _flat(documents):
        if document.get("kind") in _KINDS:
            name, struct = _KINDS[document["kind"]]
            found.setdefault(name, []).append(convert(document, struct))
    assert set(found) <= {one.name for one in fields(Objects)}
    return Objects(**{name: tuple(objects) for name, objects in found.items()})  # type: ignore[arg-type]


def _flat(documents: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for document in documents:
        if isinstance(document, dict):
            kind = str(document.get("kind", ""))
            if kind.endswith("List"):  # the API names the kind there, and not again in each of its items
                named = {"kind": kind.removesuffix("List")}
                yield from _flat(named | item for item in document.get("items") or () if isinstance(item, dict))
            else:
                yield document
