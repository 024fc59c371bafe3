"""A node and its one connection; and the API, asked on a master."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from kubeproxy import cluster
from kubeproxy.kernel import KernelState, Questions
from provision.errors import Explanation, FailedError, ProvisionError
from provision.facts.gather import answer
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Question
from provision.remote.connection import Connection, Session
from provision.remote.lock import Holder, refuse, take
from provision.remote.login import Login
from provision.remote.protocol import Step
from provision.resources import ProxyMode
from provision.resources.kubernetes.live import asking, kubectl_words
from provision.resources.kubernetes.proxy_rules import Mode

GET = ("get", "services,endpointslices", "-A", "-o", "json", "--request-timeout=10s")


class Node:
    """One host: one connection and one exec, opened when first needed. proxy: None on a host without kube-proxy."""

    def __init__(self, login: Login, proxy: ProxyMode | None = None) -> None:
        self.login = login
        self.proxy = proxy
        self.state = KernelState()
        self.error: Explanation | None = None
        self.failure: ProvisionError | None = None
        self.began = time.monotonic()
        self.connection: Connection | None = None
        self._session: Session | None = None

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.login.name

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
        return answer(self._open(), asked)

    def change(self, step: Step, wait: int = 0) -> None:
        """Runs a step under the host's lock, as every change is. wait: seconds for it. Raises ProvisionError."""
        session = self._open()
        if who := take(session, Holder(), wait):
            refuse(self.name, who, wait)
        result = session.run(step)
        if result.code:
            raise FailedError(
                "the stale rules could not be removed",
                host=self.name,
                found=result.errors or f"exit code {result.code}",
                do="kube-proxy may have changed them meanwhile: look again (invoke proxy.rules)",
            )

    def close(self) -> None:
        """Ends the connection."""
        for part in (self._session, self.connection):
            if part is not None:
                part.close()

    def cut(self) -> None:
        """Ends the connection at once; a step that was begun ends on its host by itself."""
        if self.connection:
            self.connection.cut()

    def failed(self, error: ProvisionError) -> None:
        """Keeps why this node could not be asked or changed."""
        self.failure, self.error = error, replace(error.explanation, host=self.name)

    def _open(self) -> Session:
        if self._session is None:
            self.connection = Connection(self.login)
            self._session = self.connection.session()
        return self._session


def side_by_side(nodes: Sequence[Node], work: Callable[[Node], None], forks: int) -> None:
    """`work` for each node that has not failed yet; what it raises stays with its node."""

    def one(node: Node) -> None:
        try:
            if node.failure is None:
                work(node)
        except ProvisionError as error:
            node.failed(error)

    with ThreadPoolExecutor(max(1, min(forks, len(nodes)))) as pool:
        try:
            list(pool.map(one, nodes))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for node in nodes:
                node.cut()
            raise


def api(masters: Sequence[Node], kubectl: str) -> cluster.Cluster:
    """What the API knows, asked on the first master that can say it. Raises FailedError when none can."""
    question = ShellQuestion(asking(kubectl_words(kubectl, *GET)))
    found: list[str] = []
    for node in masters:
        try:
            said: ShellAnswer = node.answers([question])[question]
            if said.code == 0:
                return cluster.parse(said.output)
            last = said.output.strip().splitlines()[-1:] or ["kubectl failed"]
            found.append(f"{node.name}: {last[0]}")
        except (ProvisionError, ValueError) as error:
            found.append(f"{node.name}: {error}")
    raise FailedError(
        "the API could not be asked what Services there are: nothing can be judged, and nothing was changed",
        found="; ".join(found) or "the inventory has no group masters",
        do="Look at the API server (invoke verify -k kube_apiserver)",
    )
