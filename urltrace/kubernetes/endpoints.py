"""The addresses behind a port of a Service, and why there are none."""

from __future__ import annotations

from dataclasses import dataclass

from urltrace.kubernetes.objects import Endpoint, Objects, Service, ServicePort
from urltrace.kubernetes.pods import Pod


@dataclass(frozen=True)
class Address:
    """Where a pod of a Service answers. ending: it takes no new requests any more."""

    ip: str
    port: int
    node: str = ""
    pod: str = ""
    ending: bool = False

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def addresses(objects: Objects, service: Service, port: ServicePort) -> tuple[Address, ...]:
    """What Traefik sends to: endpoints that serve, of slices that name the port. Each address once."""
    found: dict[str, Address] = {}
    for one in objects.slices_of(service.key):
        number = next((held.port for held in one.ports or () if held.name == port.name and held.port), None)
        for endpoint in one.endpoints or () if number else ():
            for ip in endpoint.addresses if serves(endpoint) else ():
                pod = endpoint.target_ref.name if endpoint.target_ref else ""
                found.setdefault(
                    ip, Address(ip, number or 0, endpoint.node_name, pod, ending=bool(endpoint.conditions.terminating))
                )
    return tuple(found.values())


def serves(endpoint: Endpoint) -> bool:
    """Ready, or ending and still answering; a condition that is not given is true."""
    return endpoint.conditions.serving is not False


def why_none(objects: Objects, service: Service, port: ServicePort) -> tuple[str, str]:
    """Why `port` has no addresses, and what to do; for a Service whose slices were asked for."""
    name = service.metadata.name
    slices = objects.slices_of(service.key)
    held = [endpoint for one in slices for endpoint in one.endpoints or ()]
    if held and all(serves(endpoint) for endpoint in held):
        if isinstance(port.target_port, str) and not any(part.ports for part in slices):
            return (
                f"no pod of Service {name} declares a port named {port.target_port}, its targetPort",
                f"Correct targetPort in Service {name}, or the names of the pods' ports.",
            )
        named = sorted({str(one.name or "''") for part in slices for one in part.ports or ()})
        return (
            f"the EndpointSlice of {name} names the ports {', '.join(named) or 'none'}, not '{port.name}'",
            f"Give targetPort {port.target_port} a port that the pods declare by that name.",
        )
    pods = tuple(pod for pod in objects.pods or () if pod.metadata.namespace == service.metadata.namespace)
    if not held and objects.pods is not None:
        return _why_unselected(service, pods)
    reasons = sorted({pod.waits_for for pod in pods if _selected(service, pod) and pod.waits_for})
    because = f": {', '.join(reasons)}" if reasons else ""
    selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
    return (
        f"none of the {len(held)} pods of Service {name} is ready{because}",
        f"Look at them: kubectl -n {service.metadata.namespace} describe pods -l {selector}",
    )


def _selected(service: Service, pod: Pod) -> bool:
    wanted = service.spec.selector
    return bool(wanted) and wanted.items() <= pod.metadata.labels.items()


def _why_unselected(service: Service, pods: tuple[Pod, ...]) -> tuple[str, str]:
    name, wanted = service.metadata.name, service.spec.selector
    shown = ",".join(f"{key}={value}" for key, value in wanted.items())
    if not wanted:
        return f"Service {name} has no selector and no endpoints", "Give it a selector, or an EndpointSlice by hand."
    selected = [pod for pod in pods if _selected(service, pod)]
    if selected:
        reasons = sorted({pod.waits_for or pod.status.phase for pod in selected})
        return (
            f"the pods of Service {name} have no address yet: {', '.join(reasons)}",
            f"Look at them: kubectl -n {service.metadata.namespace} describe pods -l {shown}",
        )
    near = [pod for pod in pods if set(wanted) & set(pod.metadata.labels) or set(wanted.values()) & _values(pod)]
    labels = sorted({",".join(f"{key}={value}" for key, value in pod.metadata.labels.items()) for pod in near})
    return (
        f"no pod in {service.metadata.namespace} has the labels {shown} that Service {name} selects"
        + (f"; the nearest have {labels[0]}" if labels else ""),
        f"Correct the selector of Service {name}, or the labels of the pods.",
    )


def _values(pod: Pod) -> set[str]:
    return set(pod.metadata.labels.values())
