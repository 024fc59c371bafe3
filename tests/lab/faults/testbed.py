"""A deployed lab to injure: commands that run beside a fault, what clients see meanwhile, and what is left after."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provision.traffic.probe import Prober, Target, ask
from tests.lab.clients import NODES, TARGETS, clients, dialer
from tests.lab.conftest import ROOT
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed

SETTLED = 90  # seconds that the site gets to be whole again after a fault
OTHERWISE = {
    "verbosity": "kubelet.verbosity=3",
    "body": "edge.max_body=99m",
    "marker": '{"base": {"hosts": {"marker.host.com": "10.4.7.99"}}}',
}


@dataclass(frozen=True)
class State:
    """The site as it stands. drained: nodes left out by the edge; answering: nodes that serve every URL alone;
    differs: resources that are not as declared, by host."""

    drained: tuple[str, ...]
    answering: tuple[str, ...]
    differs: dict[str, tuple[str, ...]]
    silent: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.drained and self.answering == tuple(NODES) and not self.differs and not self.silent

    def __str__(self) -> str:
        if self.whole:
            return "as declared"
        parts = [f"{host} is drained" for host in self.drained]
        parts += [f"{host} does not serve" for host in NODES if host not in self.answering]
        parts += [f"{host} does not answer SSH" for host in self.silent]
        parts += [f"{host}: {shown(resources)} not as declared" for host, resources in self.differs.items()]
        return "; ".join(parts)


def shown(names: tuple[str, ...], most: int = 3) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class Bench(Typed):
    """The lab that faults are injected into. It knows what is deployed, so that the next run can ask for another thing.

    What it can turn: kubelet's verbosity, a limit of the edge, a line of /etc/hosts (OTHERWISE).
    """

    def __init__(self, name: str, root: Path = ROOT) -> None:
        super().__init__(name, root)
        self._deployed = dict.fromkeys(OTHERWISE, False)

    @property
    def words(self) -> tuple[str, ...]:
        """The options that declare what is deployed."""
        return tuple(word for name, on in self._deployed.items() if on for word in ("--extra-vars", OTHERWISE[name]))

    def turned(self, what: str) -> tuple[str, ...]:
        """The options that declare the same but for one thing. From now on that is what is deployed."""
        self._deployed[what] = not self._deployed[what]
        return self.words

    def clients(self) -> Prober:
        """Clients of the site, as `with bench.clients() as prober`."""
        return clients(self.name)

    def kubectl(self, words: str, host: str = "hdss7-21") -> str:
        """What kubectl prints on a master."""
        return self.on(host, f"{KUBECTL} --request-timeout=10s {words}")

    def drained(self) -> tuple[str, ...]:
        """The nodes that the edge leaves out."""
        record = self.on("hdss7-11", "cat /var/lib/provision/stamps/drained 2>/dev/null; true")
        return tuple(node for node in NODES if f"{node}=" in record)

    def answering(self) -> tuple[str, ...]:
        """The nodes that serve every URL, each asked alone."""
        dial = dialer(self.name)
        alone = {node: [Target(t.url, address, 81, t.method) for t in TARGETS] for node, address in NODES.items()}
        return tuple(node for node, targets in alone.items() if not any(ask(target, dial) for target in targets))

    def state(self, *words: str) -> State:
        """How the site stands beside what these words declare."""
        planned = self.invoke("plan", "--json", *words)
        hosts = planned.document["hosts"]
        differs = {
            name: tuple(one["resource"] for one in (*host["changes"], *host["after"])) for name, host in hosts.items()
        }
        silent = tuple(name for name, host in hosts.items() if host["status"] in ("unreachable", "failed"))
        return State(self.drained(), self.answering(), {name: d for name, d in differs.items() if d}, silent)

    def fault(self) -> str:
        """What keeps the site from being whole, looked at without SSH; '' for nothing."""
        dial = dialer(self.name)
        wrong = [f"{target}: {said}" for target in TARGETS if (said := ask(target, dial))]
        if missing := set(NODES) - set(self.answering()):
            wrong.append(f"{', '.join(sorted(missing))} do not serve")
        if out := self.drained():
            wrong.append(f"drained: {out}")
        ready = self.kubectl("get nodes -o jsonpath='{.items[*].status.conditions[?(@.type==\"Ready\")].status}'")
        if ready != "True True":
            wrong.append(f"nodes are Ready: {ready}")
        return "; ".join(wrong)

    def settle(self) -> None:
        """Waits until the site is whole. The test fails when it does not come to it."""
        await_none(lambda: self._guarded(self.fault), SETTLED, "the site is not whole again")

    def _guarded(self, look: Callable[[], str]) -> str:
        try:
            return look()
        except AssertionError as error:
            return str(error)


def await_none(look: Callable[[], str], seconds: float, what: str) -> None:
    """Waits until `look` finds nothing wrong."""
    deadline = time.monotonic() + seconds
    while wrong := look():
        assert time.monotonic() < deadline, f"{what}: {wrong}"
        time.sleep(0.25)


def paragraph(ended: Ended) -> str:
    """What the run printed of a failure: the one paragraph on standard error, '' when nothing failed."""
    return " ".join(ended.errors.split())


def summary(ended: Ended) -> str:
    """What a run that printed --json did, in a line."""
    hosts = ended.document["hosts"]
    made = {name: tuple(c["resource"] for c in host["changes"]) for name, host in hosts.items() if host["changes"]}
    did = "; ".join(f"{name}: {shown(resources)}" for name, resources in made.items()) or "nothing to do"
    return f"exit {ended.code}, {did if ended.code == 0 else paragraph(ended)}"
