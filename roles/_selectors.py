"""Whether an application's workloads, Services and pods fit together, told from the manifests alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.errors import InputError
from provision.resources.kubernetes.diff import Object, place, title
from provision.spelling import listed, nearest

OWNERS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")  # a Job makes its selector itself
GIVEN = ("default", "kube-system", "kube-public", "kube-node-lease")  # namespaces of every cluster

Labels = Mapping[str, str]


def check_selectors(objects: Sequence[Object], source: str, namespaces: frozenset[str] = frozenset()) -> None:
    """Raises InputError for a namespace that no set makes, a workload that does not select its own pods, and a Service
    that selects none, or leads to a named port that they don't have.

    namespaces: those that the site's other applications make. A Service without a selector has its endpoints by hand;
    what an operator makes of an object of its own kind is not known, so beside one a Service may select what it likes.
    """
    there = {*GIVEN, *namespaces, *made_namespaces(objects)}
    for item in objects:
        _check_namespace(item, source, there)
        if item["kind"] in OWNERS:
            _check_owner(item, source)
    if any(_foreign(item) for item in objects):
        return
    pods = [(place(item)[1], pod) for item in objects if (pod := _pod(item))]
    for item in objects:
        if item["kind"] == "Service" and _spec(item).get("selector"):
            _check_service(item, [pod for namespace, pod in pods if namespace == place(item)[1]], source)


def made_namespaces(objects: Sequence[Object]) -> frozenset[str]:
    """The namespaces that a set makes."""
    return frozenset(item["metadata"]["name"] for item in objects if item["kind"] == "Namespace")


def _check_namespace(item: Object, source: str, there: set[str]) -> None:
    namespace = item["metadata"].get("namespace")
    if namespace and namespace not in there:
        near = nearest(namespace, sorted(there))
        raise InputError(
            f"{title(item)} is in a namespace that no application makes",
            line=source,
            found=f"It is {namespace}",
            do=f"Did you mean {near}?" if near else f"Add an object of kind Namespace with the name {namespace}",
        )


def _check_owner(item: Object, source: str) -> None:
    wanted, labels = (_spec(item).get("selector") or {}).get("matchLabels") or {}, _labels(_pod(item))
    if not wanted.items() <= labels.items():
        raise InputError(
            f"{title(item)} does not select its own pods",
            line=source,
            found=f"spec.selector.matchLabels has {_written(wanted)}, the pod's labels are {_written(labels)}",
            do="Write the selector's labels under spec.template.metadata.labels: the API server refuses others",
        )


def _check_service(service: Object, pods: Sequence[Object], source: str) -> None:
    wanted: Labels = _spec(service)["selector"]
    selected = [pod for pod in pods if wanted.items() <= _labels(pod).items()]
    if not selected:
        has = listed([_written(_labels(pod)) for pod in pods]) if pods else "none"
        raise InputError(
            f"{title(service)} selects no pod of this file",
            line=source,
            found=f"Its selector is {_written(wanted)}; the pods of its namespace have {has}",
            do="Write the pod's labels into spec.selector: without a pod every request gets 503",
        )
    named = {str(port["name"]) for pod in selected for port in _ports(pod) if "name" in port}
    for port in _spec(service).get("ports") or ():
        target = port.get("targetPort")
        if isinstance(target, str) and not target.isdigit() and target not in named:
            raise InputError(
                f"{title(service)} leads to a port that its pods do not name",
                line=source,
                found=f"Its targetPort is {target}; the containers name {listed(sorted(named)) if named else 'none'}",
                do="Write one of those, or the number of the port on which the program listens",
            )


def _foreign(item: Object) -> bool:
    """Whether it is of a kind that Kubernetes itself does not have."""
    group = item["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def _pod(item: Object) -> Object:
    """The pod that an object is or makes; empty for any other."""
    if item["kind"] == "Pod":
        return item
    spec = _spec(item)
    if item["kind"] == "CronJob":
        spec = _spec(spec.get("jobTemplate") or {})
    return spec.get("template") or {}


def _labels(pod: Object) -> Labels:
    return (pod.get("metadata") or {}).get("labels") or {}


def _ports(pod: Object) -> Iterator[Mapping[str, Any]]:
    """A sidecar's too: since 1.29 an init container may go on running, and its ports count."""
    for kind in ("initContainers", "containers"):
        for container in _spec(pod).get(kind) or ():
            yield from container.get("ports") or ()


def _spec(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("spec") or {}


def _written(labels: Labels) -> str:
    return ", ".join(f"{name}: {value}" for name, value in labels.items()) or "none"
