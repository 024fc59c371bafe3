"""Pods that have to follow what was applied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import function
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.kubernetes import diff
from provision.resources.kubernetes.diff import Object
from provision.resources.kubernetes.live import SCRIPTS, ObjectsQuestion, Unavailable, kubectl_function
from provision.resources.kubernetes.manifests import Manifests
from provision.resources.kubernetes.nodes import KUBERNETES_OWN, ROWS, NodesQuestion, undeclared
from provision.resources.optional.dependent import Dependent
from provision.resources.optional.reversible import Reversible, Rollback


@dataclass(frozen=True, kw_only=True)
class Rollout(Dependent, Reversible):
    """A DaemonSet or Deployment whose pods all run its present template and are ready.

        Rollout(kind="DaemonSet", namespace="kube-system", name="traefik-ingress", kubectl=KUBECTL, of=objects)

    A DaemonSet with OnDelete does not move its pods: this does, one after the other. ready: sh that succeeds once they
    serve, awaited after each move and at the end. of: the set that declares it; looked at again after it changed.
    soak: seconds between the end of one move and the next. timeout: seconds for each of them. nodes: (host, node name)
    of where its pods run, for a play that drains each node before its pod is moved. declared: names of the Nodes that
    are the inventory's: no pod is awaited on another one that is not Ready. (): every Node is waited for.
    """

    kind: str
    namespace: str
    name: str
    kubectl: str
    of: Manifests
    ready: str = "true"
    soak: int = 0
    timeout: int = 120
    nodes: tuple[tuple[str, str], ...] = ()
    declared: tuple[str, ...] = ()
    after: str = "the API server answers"
    reverts_to_declaration: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return f"Rollout {self.kind} {self.namespace}/{self.name}"

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        return (self.of,)

    @property
    def rollback_summary(self) -> str:
        return "awaited again"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        places = {diff.place(item) for item in getattr(self.of, "objects", ())}
        there = (self.kind, self.namespace, self.name) in places and not self.of.absent  # was there before, too
        return Rollback((self,) if there else ())

    @property
    def _question(self) -> ObjectsQuestion:
        item = {
            "apiVersion": "apps/v1",
            "kind": self.kind,
            "metadata": {"namespace": self.namespace, "name": self.name},
        }
        return ObjectsQuestion(self.kubectl, json.dumps(item))

    def questions(self) -> tuple[Question, ...]:
        return (self._question, *((NodesQuestion(self.kubectl),) if self.declared else ()))

    def _lost(self, answers: Answers) -> int:
        """How many Nodes nobody declares and nobody reports of: a DaemonSet wants a pod there that never comes."""
        if not self.declared:
            return 0
        return sum(node.lost for node in undeclared(answers[NodesQuestion(self.kubectl)], self.declared))

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live = answers[self._question]
        if isinstance(live, Unavailable):
            return Unknown(self.after)
        item = live.get((self.kind, self.namespace, self.name))
        if item is None:
            return Unknown(f"{self.kind} {self.namespace}/{self.name} exists")
        wanted, updated, ready = _counts(item)
        least = max(1, wanted - self._lost(answers))
        if wanted > 0 and least <= min(updated, ready):
            return None
        if wanted == 0 and _observed(item) and item["kind"] != "DaemonSet":
            return None
        return Change(Action.RUN, f"wait for {self.name}: {ready} of {wanted} ready, {updated} of the present template")

    def fix(self, change: Change) -> Step:
        script = SCRIPTS.call(
            "rollout",
            FIELDS="|".join(f"{{{path}}}" for path in _FIELDS[self.kind]),
            SOAK=str(self.soak),
            TIMEOUT=str(self.timeout),
            DECLARED=" ".join(self.declared),
            NODES=ROWS,
            TOLERATED=KUBERNETES_OWN,
        )
        return Step(self._functions + function("serving", self.ready) + script, timeout=20 * self.timeout)

    def outdated(self) -> Step:
        """Prints the node names that have a pod of an older template which only this toolkit replaces."""
        return Step(self._functions + SCRIPTS.call("outdated_nodes"), timeout=40)

    def move(self, node: str) -> Step:
        """Ends this node's pod of an older template, and returns once its successor is ready."""
        script = SCRIPTS.call("move_pod", node, str(self.timeout))
        return Step(self._functions + script, timeout=2 * self.timeout + 60)

    @property
    def _functions(self) -> str:
        """kubectl in its namespace, and what tells its pods apart."""
        k = kubectl_function(self.kubectl, "-n", self.namespace)
        return k + SCRIPTS.call("outdated", KIND=self.kind.lower(), NAME=self.name)


def _observed(item: Object) -> bool:
    return bool(item.get("status", {}).get("observedGeneration") == item["metadata"].get("generation"))


def _counts(item: Object) -> tuple[int, int, int]:
    """(wanted, of the present template, ready) of a DaemonSet, Deployment or StatefulSet."""
    status = item.get("status", {})
    if not _observed(item):
        return (item.get("spec", {}).get("replicas", 1), 0, 0)
    if item["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return (wanted, status.get("updatedNumberScheduled", 0), status.get("numberReady", 0))
    return (item["spec"].get("replicas", 1), status.get("updatedReplicas", 0), status.get("readyReplicas", 0))


# generation, generation seen, pods wanted, of the present template, ready, how it updates
_FIELDS = {
    "DaemonSet": (
        ".metadata.generation",
        ".status.observedGeneration",
        ".status.desiredNumberScheduled",
        ".status.updatedNumberScheduled",
        ".status.numberReady",
        ".spec.updateStrategy.type",
    ),
    "StatefulSet": (
        ".metadata.generation",
        ".status.observedGeneration",
        ".spec.replicas",
        ".status.updatedReplicas",
        ".status.readyReplicas",
        ".spec.updateStrategy.type",
    ),
    "Deployment": (
        ".metadata.generation",
        ".status.observedGeneration",
        ".spec.replicas",
        ".status.updatedReplicas",
        ".status.readyReplicas",
        ".spec.strategy.type",
    ),
}
