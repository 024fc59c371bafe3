"""A node's own Node in the cluster: there, and known as one that this toolkit's kubelet made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import function
from provision.resources.base import Action, Change, Rendering, Resource, Unknown
from provision.resources.kubernetes.live import SCRIPTS
from provision.resources.kubernetes.nodes import LABEL, VALUE
from provision.resources.optional.dependent import Dependent

MISSING, UNLABELLED, LABELLED = "missing", "unlabelled", "labelled"


@dataclass(frozen=True)
class NodeApi:
    """How a node asks for its own Node. url: of the API server. curl: the command with the node's login, in sh."""

    name: str
    url: str
    curl: str

    @property
    def node(self) -> str:
        """The Node's own URL, as a word of sh."""
        return shlex.quote(f"{self.url}/api/v1/nodes/{self.name}?pretty=0")

    @property
    def state(self) -> str:
        """sh functions: `state` prints missing, unlabelled or labelled, and nothing where the API says nothing."""
        return function("api", f'{self.curl} "$@" {self.node}') + SCRIPTS.call("node_state", f'"{LABEL}":"{VALUE}"')


@dataclass(frozen=True, kw_only=True)
class RegisteredNode(Dependent):
    """The Node of this host is in the cluster and bears our label; put after the Program of its kubelet.

        RegisteredNode(api=NodeApi("hdss7-21.host.com", "https://10.4.7.11:7443", "curl --cacert …"), kubelet=program)

    A kubelet registers its Node when it starts and never again, so it is restarted where somebody has deleted the Node.
    api: with a login that may read and patch the Node. timeout: seconds until the API has it.
    """

    api: NodeApi
    kubelet: str
    restart_on: tuple[Resource, ...] = field(default=(), repr=False)
    timeout: int = 90

    @property
    def key(self) -> str:
        return f"RegisteredNode {self.api.name}"

    @property
    def dependencies(self) -> tuple[Resource, ...]:
        return self.restart_on

    def rendered(self, rendering: Rendering) -> RegisteredNode:
        return replace(self, restart_on=rendering.resources(self.restart_on))

    @property
    def _question(self) -> ShellQuestion:
        return ShellQuestion(f"{self.api.state}state")

    def questions(self) -> tuple[Question, ...]:
        return (self._question,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        answer: ShellAnswer = answers[self._question]
        state = answer.output.strip()
        if state == MISSING:
            return Change(Action.RUN, f"{self.api.name} is not in the cluster: restart {self.kubelet}")
        if state == UNLABELLED:
            return Change(Action.RUN, f"label {self.api.name} {LABEL}={VALUE}")
        if state != LABELLED and changed_dependencies:
            return Unknown("kubelet has registered the node")
        return None  # as declared, or the API does not answer, and the roles of the API server say so

    def fix(self, change: Change) -> Step:
        patch = json.dumps({"metadata": {"labels": {LABEL: VALUE}}})
        script = self.api.state + SCRIPTS.call("register_node", self.kubelet, patch, str(self.timeout))
        return Step(script, timeout=self.timeout + 60)
