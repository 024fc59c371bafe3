"""The cluster as its API shows it: one `kubectl get` that all checks share."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from provision.verify.checks import Many, Node
from provision.verify.commands import Answer, Ask
from roles._cluster import KUBECTL

KINDS = "nodes,pods,services,ingresses.networking.k8s.io"


@dataclass(frozen=True)
class Pod:
    """A pod that is not on its way out. node: the address of the node that it runs on."""

    namespace: str
    name: str
    address: str
    node: str
    ready: bool
    labels: dict[str, str]


@dataclass(frozen=True)
class Cluster:
    """What the API said."""

    items: tuple[dict[str, Any], ...]

    def of(self, kind: str) -> Iterable[dict[str, Any]]:
        """The objects of a kind."""
        return (item for item in self.items if item["kind"] == kind)

    def pods(self, namespace: str = "", **labels: str) -> list[Pod]:
        """Pods with all these labels."""
        every = [_pod(item) for item in self.of("Pod") if "deletionTimestamp" not in item["metadata"]]
        wanted = {name.replace("_", "-"): value for name, value in labels.items()}
        return [pod for pod in every if namespace in ("", pod.namespace) and wanted.items() <= pod.labels.items()]

    def has(self, kind: str, namespace: str, name: str) -> bool:
        """Whether there is such an object."""
        return any(_is(item, namespace, name) for item in self.of(kind))

    def service(self, namespace: str, name: str) -> dict[str, Any]:
        """A Service. Raises AssertionError when there is none."""
        return self._one("Service", namespace, name)

    def node(self, address: str) -> dict[str, Any]:
        """The Node with this address. Raises AssertionError when there is none."""
        for item in self.of("Node"):
            if any(a["address"] == address for a in item["status"].get("addresses", ())):
                return item
        raise AssertionError(f"the API knows no node with the address {address}")

    def _one(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        for item in self.of(kind):
            if _is(item, namespace, name):
                return item
        raise AssertionError(f"the API knows no {kind} {namespace}/{name}")


def master(node: Node) -> Node:
    """The first master: kubectl is there."""
    masters = node.group("masters")
    assert masters, "the inventory has no group masters: nobody can be asked about the cluster"
    return masters[0]


def kubectl(node: Node, arguments: str, seconds: float = 10) -> Ask:
    """kubectl on the first master."""
    return master(node).sh(f"{KUBECTL} --request-timeout={seconds:g}s {arguments}", seconds + 2)


def cluster(node: Node) -> Generator[Ask | Many, Answer, Cluster]:
    """Everything that checks look at: `seen = yield from cluster(node)`."""
    answer = yield kubectl(node, f"get {KINDS} -A -o json")
    assert answer.ok, f"kubectl on {master(node).name} gave {answer}"
    seen = Cluster(tuple(answer.json["items"]))
    assert any(seen.of("Node")), "the API knows no node at all"
    return seen


def condition(item: dict[str, Any], name: str) -> str:
    """A condition's status: True, False or Unknown; '' when the object has none of that name."""
    found = (c for c in item["status"].get("conditions", ()) if c["type"] == name)
    return next((str(c["status"]) for c in found), "")


def _is(item: dict[str, Any], namespace: str, name: str) -> bool:
    return (item["metadata"].get("namespace", ""), item["metadata"]["name"]) == (namespace, name)


def _pod(item: dict[str, Any]) -> Pod:
    meta, status = item["metadata"], item["status"]
    return Pod(
        meta["namespace"],
        meta["name"],
        status.get("podIP", ""),
        status.get("hostIP", ""),
        condition(item, "Ready") == "True",
        meta.get("labels", {}),
    )
