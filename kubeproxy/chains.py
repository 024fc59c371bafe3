"""The graph of kube-proxy's chains, in mode iptables or nftables: what an entrance leads to, and what none does. Pure.

An entrance (a rule or a map's element for one frontend) leads to a chain of its Service port, that to chains of
endpoints, and each of those translates the destination to one backend.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubeproxy.rules import Address, Rule

Jump = tuple[str, str]  # from a chain, to a chain


@dataclass(frozen=True)
class ChainGraph:
    """Chains of Service ports and endpoints alone. jumps: chain -> those that its rules lead to, in the rules' order.

    backends: chain -> the addresses that its own rules translate to.
    """

    jumps: Mapping[str, Sequence[str]]
    backends: Mapping[str, Sequence[Address]]

    def below(self, chain: str, cut: Collection[Jump] = ()) -> list[str]:
        """The chain and all that it leads to, without the jumps in `cut`."""
        found = [chain]
        for each in found:
            found += [to for to in dict.fromkeys(self.jumps.get(each, ())) if (each, to) not in cut and to not in found]
        return found

    def backend(self, chain: str) -> Address | None:
        """The backend of an endpoint's chain; None for another."""
        return next(iter(self.backends.get(chain, ())), None)

    def backends_below(self, chain: str) -> list[Address]:
        """The backends that the chain leads to, each once."""
        return list(dict.fromkeys(to for each in self.below(chain) for to in self.backends.get(each, ())))

    def stale_jumps(self, entrances: Iterable[tuple[Address | None, str]], stale: Collection[Rule]) -> list[Jump]:
        """The jumps to backends of stale rules. entrances: those that stay, each a frontend and its chain."""
        pairs = {(rule.frontend, rule.backend) for rule in stale if rule.frontend and rule.backend}
        return list(
            dict.fromkeys(
                (chain, target)
                for frontend, first in entrances
                for chain in self.below(first)
                for target in self.jumps.get(chain, ())
                if (frontend, self.backend(target)) in pairs
            )
        )

    def unreached(self, entrances: Iterable[str], cut: Collection[Jump] = ()) -> Iterator[str]:
        """The chains that no entrance leads to, once the jumps in `cut` are gone. entrances: their chains."""
        reached = {chain for first in dict.fromkeys(entrances) for chain in self.below(first, cut)}
        return (chain for chain in self.jumps if chain not in reached)
