"""A node and its one connection; and the API, asked on a master."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from kubeproxy import cluster
from kubeproxy.kernel import KernelState, Questions
from provision.errors import Explanation, FailedError, ProvisionError
from provision.facts.gather import answer
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Question
from provision.remote.host import RemoteHost
from provision.remote.lock import Holder, refuse, take
from provision.remote.login import Login
from provision.remote.pool import HostPool
from provision.remote.protocol import Step
from provision.resources import ProxyMode
from provision.resources.kubernetes.live import asking, kubectl_words
from provision.resources.kubernetes.proxy_rules import Mode
from provision.usage import usage

GET = ("get", "services,endpointslices", "-A", "-o", "json", "--request-timeout=10s")


class Node(RemoteHost):
    """A host and what its kernel holds for Services. proxy: None on a host without kube-proxy.

    failure: why it could not be asked or changed. error: what is to be told of it.
    """

    def __init__(self, login: Login, proxy: ProxyMode | None = None) -> None:
        super().__init__(login)
        self.proxy = proxy
        self.state = KernelState()
        self.error: Explanation | None = None
        self.failure: ProvisionError | None = None
        self.began = time.monotonic()

    @property
    def mode(self) -> Mode | None:
        """The mode in use, None where it can't be told."""
        return self.state.in_use(self.proxy.mode) if self.proxy else None

    def look(self) -> None:
        """Asks what the kernel holds. Raises ProvisionError."""
        assert self.proxy
        questions = Questions(self.proxy)
        try:
            self.state = questions.state(self.answers(questions))
        except ValueError as error:
            raise FailedError("could not read what nft printed", host=self.name, found=str(error)) from None

    def answers(self, asked: Iterable[Question]) -> Any:
        """Everything asked, in one step. Raises ProvisionError."""
        return answer(self.session(), asked)

    def change(self, step: Step, wait: int = 0) -> None:
        """Runs a step under the host's lock, as every change is. wait: seconds for it. Raises ProvisionError."""
        session = self.session()
        if who := take(session, Holder(), wait):
            refuse(self.name, who, wait)
        result = session.run(step)
        if result.code:
            raise FailedError(
                "the stale rules could not be removed",
                host=self.name,
                found=result.errors or f"exit code {result.code}",
                do=f"kube-proxy may have changed them meanwhile: look again ({usage('proxy.rules')})",
            )

    def failed(self, error: ProvisionError) -> None:
        """Keeps why this node could not be asked or changed."""
        self.failure, self.error = error, replace(error.explanation, host=self.name)


def side_by_side(nodes: Sequence[Node], work: Callable[[Node], None], forks: int) -> None:
    """`work` for each node that has not failed yet; what it raises stays with its node."""
    usable = [node for node in nodes if node.failure is None]
    for result in HostPool(forks).for_each(usable, work):
        if result.error:
            result.host.failed(result.error)


def api(masters: Sequence[Node], kubectl: str) -> cluster.Cluster:
    """What the API knows, asked on the first master that can say it. Raises FailedError when none can."""
    question = ShellQuestion(asking(kubectl_words(kubectl, *GET)))
    found: list[str] = []
    for node in masters:
        try:
            reply: ShellAnswer = node.answers([question])[question]
            if reply.code == 0:
                return cluster.parse(reply.output)
            last = reply.output.strip().splitlines()[-1:] or ["kubectl failed"]
            found.append(f"{node.name}: {last[0]}")
        except (ProvisionError, ValueError) as error:
            found.append(f"{node.name}: {error}")
    raise FailedError(
        "the API could not be asked what Services there are: nothing can be judged, and nothing was changed",
        found="; ".join(found) or "the inventory has no group masters",
        do=f"Look at the API server ({usage('verify -k kube_apiserver')})",
    )
