"""A fault as a row: what is done to the site, what is asked of it, and how it has to come out."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.faults.injectors import Injection, nothing
from tests.lab.faults.testbed import Bench

Words = tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """Something to deploy. turns: which of the bench's switches it turns; '' for what is deployed already.

    extra: further options, LAB in them is the lab's name. They hold for this one run, and are no part of what is
    deployed from then on.
    """

    says: str
    turns: str = ""
    extra: Words = ()

    def words(self, bench: Bench) -> Words:
        """The options that say what is to be so after it."""
        return bench.turned(self.turns) if self.turns else bench.words

    def beside(self, bench: Bench) -> Words:
        """The options of this run alone."""
        return tuple(word.replace("LAB", bench.name) for word in self.extra)


PLAIN = Asked("what is deployed already")
LIGHT = Asked("a line in every host's /etc/hosts", "marker")
EDGE = Asked("another limit in the edge's configuration", "body")
ROLLED = Asked("a flag of kubelet, one node after the other", "verbosity")


@dataclass(frozen=True)
class Fault:
    """One row. asked: what is deployed beside it. at: the run's own step at which it is injected, or '' for before it.

    exit, error: how that run ends, and what its paragraph has to say (a regular expression). within: seconds that it
    may take. lost: why clients may lose requests; '' when they must not lose one. left: the hosts that may be not as
    declared after it; none: the site is as it was, or as it was asked to be. saved: the plan is saved first, the
    fault comes then, and the saved plan is deployed. table: where its row stands.
    """

    name: str
    injected: str
    inject: Injection = nothing
    asked: Asked = PLAIN
    at: str = ""
    exit: int = 0
    error: str = ""
    within: float = 180
    lost: str = ""
    left: tuple[str, ...] = ()
    saved: bool = False
    table: str = "faults"
