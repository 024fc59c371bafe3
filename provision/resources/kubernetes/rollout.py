"""Pods that have to follow what was applied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Resource, Rollback, Unknown
from provision.resources.kubernetes.diff import Object
from provision.resources.kubernetes.live import ObjectsQuestion, Unavailable
from provision.resources.kubernetes.manifests import Manifests


@dataclass(frozen=True, kw_only=True)
class Rollout(Resource):
    """A DaemonSet or Deployment whose pods all run its present template and are ready.

        Rollout(kind="DaemonSet", namespace="kube-system", name="traefik-ingress", kubectl=KUBECTL, of=objects)

    A DaemonSet with OnDelete does not move its pods: this does, one after the other. ready: sh that succeeds once they
    serve, awaited after each move and at the end. of: the set that declares it; looked at again after it changed.
    soak: seconds between the end of one move and the next. timeout: seconds for each of them. nodes: (host, node name)
    of where its pods run, for a play that drains each node before its pod is moved.
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
    after: str = "the API server answers"
    as_before: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return f"Rollout {self.kind} {self.namespace}/{self.name}"

    @property
    def restart_on(self) -> tuple[Resource, ...]:
        return (self.of,)

    @property
    def rollback_summary(self) -> str:
        return "awaited again"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback((self,) if getattr(self.of, "objects", ()) else ())

    @property
    def _question(self) -> ObjectsQuestion:
        item = {
            "apiVersion": "apps/v1",
            "kind": self.kind,
            "metadata": {"namespace": self.namespace, "name": self.name},
        }
        return ObjectsQuestion(self.kubectl, json.dumps(item))

    def questions(self) -> tuple[Question, ...]:
        return (self._question,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live = answers[self._question]
        if isinstance(live, Unavailable):
            return Unknown(self.after)
        item = live.get((self.kind, self.namespace, self.name))
        if item is None:
            return Unknown(f"{self.kind} {self.namespace}/{self.name} exists")
        wanted, updated, ready = _counts(item)
        if (wanted, wanted) == (updated, ready) and wanted > 0:
            return None
        if wanted == 0 and _observed(item) and item["kind"] == "Deployment":
            return None
        return Change(Action.RUN, f"wait for {self.name}: {ready} of {wanted} ready, {updated} of the present template")

    def fix(self, change: Change) -> Step:
        script = _ROLLOUT % {
            "select": _SELECT % self._words,
            "k": f"{self.kubectl} -n {self.namespace}",
            "kind": self.kind.lower(),
            "name": self.name,
            "fields": "|".join(f"{{{path}}}" for path in _FIELDS[self.kind]),
            "ready": self.ready,
            "soak": self.soak,
            "timeout": self.timeout,
        }
        return Step(script, timeout=20 * self.timeout)

    def outdated(self) -> Step:
        """Prints the node names that have a pod of an older template which nobody but us moves."""
        return Step(_OUTDATED % self._words + _NODES, timeout=40)

    def move(self, node: str) -> Step:
        """Ends this node's pod of an older template, and returns once its successor is ready."""
        script = _OUTDATED + _MOVE
        return Step(script % {**self._words, "node": node, "timeout": self.timeout}, timeout=2 * self.timeout + 60)

    @property
    def _words(self) -> dict[str, str]:
        return {"k": f"{self.kubectl} -n {self.namespace}", "kind": self.kind.lower(), "name": self.name}


def _observed(item: Object) -> bool:
    return bool(item.get("status", {}).get("observedGeneration") == item["metadata"].get("generation"))


def _counts(item: Object) -> tuple[int, int, int]:
    """(wanted, of the present template, ready) of a DaemonSet or Deployment."""
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
    "Deployment": (
        ".metadata.generation",
        ".status.observedGeneration",
        ".spec.replicas",
        ".status.updatedReplicas",
        ".status.readyReplicas",
        ".spec.strategy.type",
    ),
}

# A DaemonSet with OnDelete: pods of an older template are deleted one by one, each awaited. As its controller does
# (pkg/controller/daemon in Kubernetes 1.34), a pod is taken for the present one by its label pod-template-generation or
# controller-revision-hash: after a change that was taken back, untouched pods have an older generation, same hash.
_SELECT = """
n=50
until [ "$($k get %(kind)s %(name)s -o 'jsonpath={.metadata.generation}')" = \
    "$($k get %(kind)s %(name)s -o 'jsonpath={.status.observedGeneration}')" ] || [ $n -eq 0 ]; do
  n=$((n-1)); sleep 0.2
done
field=".metadata.annotations['deprecated\\.daemonset\\.template\\.generation']"
present=$($k get %(kind)s %(name)s -o "jsonpath={$field}")
labels=$($k get %(kind)s %(name)s -o 'jsonpath={.spec.selector.matchLabels}' | tr -d '{}"' | tr ':' '=')
hash=$($k get controllerrevisions -l "$labels" --sort-by=.revision \
  -o "jsonpath={.items[-1:].metadata.labels.controller-revision-hash}")
outdated="$labels,pod-template-generation!=$present,controller-revision-hash!=$hash"
"""
_OUTDATED = (
    """set -u
k="%(k)s"
[ "$($k get %(kind)s %(name)s -o 'jsonpath={.spec.updateStrategy.type}')" = OnDelete ] || exit 0"""
    + _SELECT
)
_NODES = """$k get pods -l "$outdated" -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\\n"}{end}'
"""
_MOVE = """
on="--field-selector=spec.nodeName=%(node)s"
for pod in $($k get pods -l "$outdated" $on -o name); do
  $k delete $pod --wait=true >/dev/null
done
deadline=$(( $(date +%%s) + %(timeout)d ))
until $k get pods -l "$labels,controller-revision-hash=$hash" $on --no-headers | grep -q ' 1/1 .*Running'; do
  [ $(date +%%s) -lt $deadline ] || {
    pod=$($k get pods -l "$labels" $on -o name | head -n 1)
    { $k describe $pod | tail -n 3; $k logs $pod --tail=3 2>&1 | sed 's/\x1b\\[[0-9;]*m//g'; } >&2
    exit 1
  }
  sleep 0.3
done
"""

_ROLLOUT = """set -u
k="%(k)s"
settled() { [ "$made" = "$seen" ] && [ "${wanted:-0}" -gt 0 ] && [ "$wanted $wanted" = "$updated $ready" ]; }
serving() { %(ready)s
}
next() {  # the next pod of an older template goes
  sleep $pause; pause=%(soak)d
  %(select)s
  $k get pods -l "$outdated" -o name | head -n 1 | while read -r pod; do
    $k delete "$pod" --wait=true >&2
  done
  deadline=$(( $(date +%%s) + %(timeout)d ))
}
pause=0
deadline=$(( $(date +%%s) + %(timeout)d ))
until IFS='|' read -r made seen wanted updated ready how <<END
$($k get %(kind)s %(name)s -o 'jsonpath=%(fields)s')
END
  settled && serving >/dev/null 2>&1; do
  [ $(date +%%s) -lt $deadline ] || {
    echo "%(kind)s %(name)s was not ready within %(timeout)d s (${ready:-0} of ${wanted:-0} pods ready):" >&2
    $k get pods -o wide 2>&1 | grep -e NAME -e %(name)s >&2
    serving >&2
    unready='index($1, "%(name)s") == 1 {split($2, n, "/"); if (n[1] != n[2]) print "pod/" $1}'
    for p in $($k get pods --no-headers | awk "$unready" | head -n 2); do
      $k describe $p | tail -n 6 >&2; $k logs $p --tail=10 >&2 2>&1
    done
    exit 1
  }
  [ "$how/$made/$wanted" != "OnDelete/$seen/$ready" ] || ! serving >/dev/null 2>&1 || next
  sleep 0.3
done
"""
