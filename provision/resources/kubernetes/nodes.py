"""The cluster's Nodes beside the hosts of the inventory: whose address differs, and which nobody declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.fixed import Fixed, Guard
from provision.resources.kubernetes.live import SCRIPTS, TIMED_OUT, Unavailable, asking, kubectl_function, kubectl_words
from provision.resources.optional.prunable import Prunable
from provision.spelling import listed

LABEL, VALUE = "hdss7/made-by", "kubelet"  # on each Node of a kubelet that this toolkit runs
LEAVES = "hdss7/leaves"  # a taint of Nodes that are taken out: it says that we, and nobody else, closed them
KUBERNETES_OWN = "node.kubernetes.io/"  # taints that pods of a DaemonSet tolerate by themselves begin so
_FIELDS = (
    "{.metadata.name}",
    '{.status.addresses[?(@.type=="InternalIP")].address}',
    '{.status.conditions[?(@.type=="Ready")].status}',
    f"{{.metadata.labels.{LABEL}}}",
    '{.spec.taints[?(@.effect!="PreferNoSchedule")].key}',
)
ROWS = "{range .items[*]}" + '{"|"}'.join(_FIELDS) + '{"\\n"}{end}'


@dataclass(frozen=True)
class Node:
    """A Node as the API has it.

    ready: whether its kubelet reports. ours: whether it bears our label. taints: keys of those that keep pods away.
    """

    name: str
    address: str
    ready: bool
    ours: bool
    taints: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({'Ready' if self.ready else 'not Ready'})"

    @property
    def leaves(self) -> bool:
        """Whether a run began to take it out."""
        return LEAVES in self.taints

    @property
    def lost(self) -> bool:
        """Whether a DaemonSet without tolerations wants a pod here that never becomes ready.

        Its controller wants none on a Node with a taint that its pods do not tolerate.
        """
        return not self.ready and all(taint.startswith(KUBERNETES_OWN) for taint in self.taints)


Live = Mapping[str, Node] | Unavailable


@dataclass(frozen=True)
class NodesQuestion(Question):
    """The cluster's Nodes by name; Unavailable where the API server could not be asked."""

    slow: ClassVar[bool] = True
    kubectl: str
    timeout: ClassVar[int] = 20  # seconds

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        get = ("get", "nodes", "--request-timeout=10s", "-o", f"jsonpath={ROWS}")
        return asking(("timeout", str(cls.timeout), *kubectl_words(questions[0].kubectl, *get)))

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, Live]:
        if code != 0:
            reason = output.strip().splitlines()[-1:] or ["kubectl failed"]
            why = f"no answer within {cls.timeout} s" if code == TIMED_OUT else reason[0]
            return {q: Unavailable(why) for q in questions}
        rows = (line.split("|") for line in output.splitlines() if line.count("|") == len(_FIELDS) - 1)
        nodes = (Node(row[0], row[1], row[2] == "True", row[3] == VALUE, tuple(row[4].split())) for row in rows)
        live = {node.name: node for node in nodes}
        return dict.fromkeys(questions, live)


@dataclass(frozen=True, kw_only=True)
class NodeAddresses(Guard):
    """Every Node has the address that the inventory gives its host.

    addresses: the Node's name -> the host's address as it is declared.
    """

    kubectl: str
    addresses: Mapping[str, Fixed] = field(hash=False)

    @property
    def key(self) -> str:
        return "NodeAddresses"

    def questions(self) -> tuple[Question, ...]:
        return (NodesQuestion(self.kubectl),)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live: Live = answers[NodesQuestion(self.kubectl)]
        for name, fixed in self.addresses.items():
            if not isinstance(live, Unavailable) and name in live:
                fixed.refuse_other(live[name].address, f"Node {name}")
        return None


@dataclass(frozen=True, kw_only=True)
class ReturnedNodes(Resource):
    """Nodes that are declared are open to pods, also where a run has begun to take them out.

    declared: their names. A Node that somebody else has closed stays closed.
    """

    kubectl: str
    declared: tuple[str, ...]

    @property
    def key(self) -> str:
        return "ReturnedNodes"

    def questions(self) -> tuple[Question, ...]:
        return (NodesQuestion(self.kubectl),)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live: Live = answers[NodesQuestion(self.kubectl)]
        if isinstance(live, Unavailable):
            return None
        names = [name for name in self.declared if name in live and live[name].leaves]
        return Change(Action.RUN, f"open {listed(names)} to pods again", parts=frozenset(names)) if names else None

    def fix(self, change: Change) -> Step:
        return Step(kubectl_function(self.kubectl) + SCRIPTS.call("open_nodes", *sorted(change.parts), TAINT=LEAVES))


def undeclared(live: Live, declared: Iterable[str]) -> tuple[Node, ...]:
    """The Nodes that are none of these; () where the API server could not be asked."""
    if isinstance(live, Unavailable):
        return ()
    known = frozenset(declared)
    return tuple(node for name, node in live.items() if name not in known)


@dataclass(frozen=True, kw_only=True)
class _Undeclared(Prunable):
    """Nodes that nobody declares. declared: names of the Nodes that are the inventory's."""

    kubectl: str
    declared: tuple[str, ...]

    @property
    def key(self) -> str:
        return type(self).__name__

    def questions(self) -> tuple[Question, ...]:
        return (NodesQuestion(self.kubectl),)

    def _found(self, answers: Answers, *, ours: bool) -> list[Node]:
        """Those with our label, or those without it."""
        live: Live = answers[NodesQuestion(self.kubectl)]
        return [node for node in undeclared(live, self.declared) if node.ours is ours]


@dataclass(frozen=True, kw_only=True)
class UndeclaredNodes(_Undeclared):
    """Nodes of hosts that are in no group of nodes any more: their pods are evicted, then they are deleted.

    Only Nodes with our label are deleted: see ForeignNodes. An eviction that a
    PodDisruptionBudget forbids is tried again for `timeout` seconds; then the run fails, and the Node is closed to new
    pods. The pods of a Node that is not Ready can't be evicted: they go with it.
    """

    timeout: int = 300

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        gone = self._found(answers, ours=True)
        if not gone:
            return None
        names = frozenset(node.name for node in gone)
        return Change(Action.REMOVE, f"evict the pods of, and delete, {listed(map(str, gone))}", parts=names)

    def fix(self, change: Change) -> Step:
        script = SCRIPTS.call("remove_nodes", *sorted(change.parts), TAINT=LEAVES, TIMEOUT=str(self.timeout))
        return Step(kubectl_function(self.kubectl) + script, timeout=(self.timeout + 120) * len(change.parts))


@dataclass(frozen=True, kw_only=True)
class ForeignNodes(_Undeclared):
    """Nodes that nobody declares and that no kubelet of this toolkit has made: named, and left alone."""

    removable: ClassVar[bool] = False

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        others = self._found(answers, ours=False)
        if not others:
            return None
        names = " ".join(node.name for node in others)
        who = f"{listed(map(str, others))}: not declared, and not made by role kubelet"
        return Change(Action.REMOVE, f"{who}; left alone (kubectl delete node {names})")

    def fix(self, change: Change) -> Step:
        return Step("true")  # never among the changes
