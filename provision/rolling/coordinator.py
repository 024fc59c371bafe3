"""A play with `drain`: which edges, which nodes, and what goes on answering meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from provision.apply.events import Listener
from provision.apply.run import HostRun
from provision.apply.site import Site
from provision.apply.states import Planned
from provision.errors import FailedError
from provision.facts.gather import answer
from provision.plan.plan import Item
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.remote.connection import Session
from provision.remote.login import dialer
from provision.resources import Rollout
from provision.resources.configset.drain import Drainer
from provision.rolling.edges import Edge, Edges, Node, targets
from provision.rolling.update import RollingUpdate, RollPolicy, RollStep
from provision.traffic.probe import Prober, Target, serving
from provision.usage import usage

RATE = 10.0  # requests a second through the edges, as many to the nodes' own ports, and to applications
CLIENTS, PATIENT = 2, 12  # that ask; an application may take its second, and nothing else is asked less for it
REVERT_TIMEOUT = 120  # seconds that a reverted pod gets to be ready; a broken change may have given it less

Change = Callable[[HostRun, Planned], None]
Undo = Callable[[HostRun, Session], str]


class RollingPlay:
    """The rolling update of one play, and the prober that writes its receipt."""

    def __init__(
        self,
        site: Site,
        run_id: str,
        emit: Listener,
        play: Play,
        check: HealthCheck,
        edges: Sequence[HostRun],
        stop: threading.Event | None = None,
    ) -> None:
        """check: what has to go on answering. edges: the hosts that the play's `drain` names.

        Raises FailedError when an edge can't be asked.
        """
        asked = [found for found in (_ask(site, play, host) for host in edges) if found]
        self._different = [found.edge for found in asked if not found.as_declared]
        self.edges = [found.edge for found in asked]
        self._in_use = any(found.in_use for found in asked)
        self._busiest = frozenset().union(*(found.busiest for found in asked))
        names = sorted(frozenset().union(*(edge.drainer.drainable for edge in self.edges)))
        self.nodes = {name: Node(name, site.login(name).address) for name in names}
        # not those of every role: checks of plays still to come may ask for what is not deployed yet
        roles = {*(use.name for use in play.roles), *play.gate}
        policy = RollPolicy(
            check,
            play.soak,
            gate=lambda node: site.gate(node.name, roles),
            max_fail=play.max_fail,
            explain=lambda: site.explain(check.url),
        )
        drained = {node: by for found in asked for node, by in found.drained.items()}
        self._all_edges = Edges(self.edges, check, run_id, drained)
        self.update = RollingUpdate(self._all_edges, tuple(self.nodes.values()), policy, run_id, emit, drained, stop)
        self._wanted = targets(check, self.edges, tuple(self.nodes.values()))
        self._dial = dialer(edges[0].remote.login.dial)

    @property
    def served(self) -> bool:
        """Whether the site is served now: else there is nothing to protect."""
        return self._in_use and bool(self.nodes) and bool(self._all_edges.healthy(tuple(self.nodes.values())))

    def prober(self) -> Prober:
        """Writes the receipt. It asks what answers now: what did not answer before is no fault of the change."""
        served, silent = serving(self._wanted, self._dial)
        asked = tuple(target for target in self._wanted if target in served)
        # one that no edge leads to is named once, and not once more for each node
        not_served = (target for target in silent if not (target.application and target.node))
        kinds = set(map(_kind, asked))
        clients = PATIENT if any(target.application for target in asked) else CLIENTS
        return Prober(asked, self._dial, rate=RATE * max(1, len(kinds)), clients=clients, not_served=not_served)

    def refuse_differences(self) -> None:
        """Draining must change the mark and nothing else. Raises FailedError for an edge that is not as declared."""
        for edge in self._different:
            raise FailedError(
                f"{edge.name} is not as declared, so nothing can be drained there",
                host=edge.name,
                found=f"{edge.drainer.key} differs",
                do=f"Deploy it first: {usage(f'deploy --limit {edge.name}')}",
            )

    def hosts(self, hosts: Sequence[HostRun], change: Change, undo: Undo, prober: Prober) -> None:
        """Every host in turn, drained while it changes. Raises ProvisionError at the first that fails."""
        ordered = sorted(hosts, key=lambda host: host.name in self._busiest)
        steps = [self._step(host, host.state, change, undo) for host in ordered if isinstance(host.state, Planned)]
        self.update.roll(steps, prober)

    def _step(self, host: HostRun, planned: Planned, change: Change, undo: Undo) -> RollStep:
        node = self.nodes.get(host.name, Node(host.name, host.remote.login.address))
        return RollStep(node, lambda: change(host, planned), lambda: undo(host, planned.session))

    def pod_mover(self, host: HostRun, session: Session, undo: Undo, prober: Prober) -> Callable[[Item], None]:
        """For `apply`: before a rollout is waited for, its pods are replaced, each node drained meanwhile."""

        def move(item: Item) -> None:
            rollout = item.resource
            if not isinstance(rollout, Rollout) or not rollout.nodes:
                return
            outdated = set(session.run(rollout.outdated()).output.split())
            retried = replace(rollout, timeout=max(rollout.timeout, REVERT_TIMEOUT))

            def step(name: str, node: str) -> RollStep:
                def back() -> str:
                    stays = undo(host, session)
                    _replace_pod(session, retried, node)
                    return stays

                return RollStep(self.nodes[name], lambda: _replace_pod(session, rollout, node), back)

            nodes = [(name, node) for name, node in rollout.nodes if node in outdated and name in self.nodes]
            self.update.roll([step(name, node) for name, node in nodes], prober)

        return move


def _kind(target: Target) -> tuple[bool, bool]:
    """What turns targets are asked by: the site, nodes' own ports, applications."""
    return (bool(target.application), bool(target.node and not target.application))


def _replace_pod(session: Session, rollout: Rollout, node: str) -> None:
    result = session.run(rollout.move(node))
    if result.code != 0:
        raise FailedError(f"the new pod of {rollout.name} on {node} did not become ready", found=result.errors)


@dataclass(frozen=True)
class _Asked:
    """An edge as it is now: which nodes are drained there, and whether its configuration is as declared."""

    edge: Edge
    drained: Mapping[str, str]
    as_declared: bool
    in_use: bool
    busiest: frozenset[str]


def _ask(site: Site, play: Play, host: HostRun) -> _Asked | None:
    """None for a host whose role can drain nothing. Raises FailedError when it can't be asked."""
    drainers = (d.resource for d in site.everything(host.name) if d.role == play.drain)
    drainer = next((each for each in drainers if isinstance(each, Drainer) and each.drainable), None)
    if drainer is None:
        return None
    if host.session is None:
        raise FailedError(
            f"{host.name} can't drain a node, so nothing is changed that it sends traffic to",
            host=host.name,
            found=str(host.error or "it is not connected"),
            do="Fix it first, or deploy with --force: then nodes change without being drained",
        )
    answers = answer(host.session, drainer.questions())
    edge = Edge(host.name, host.session, drainer, drainer.entrance or host.remote.login.address)
    return _Asked(
        edge,
        drainer.drained_now(answers),
        drainer.settled(answers),
        drainer.in_use(answers),
        drainer.busiest(answers),
    )
