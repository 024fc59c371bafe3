"""All that one node's kernel holds: the questions that a node is asked, and the step that removes stale rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kubeproxy import iptables, ipvs, nftables
from kubeproxy.rules import Address, Rule
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers
from provision.remote.protocol import Step
from provision.remote.shell import quote
from provision.resources import ProxyMode
from provision.resources.kubernetes.proxy_rules import CHAINS, LEFT, Mode, look, remove

SAVES = ("iptables-save", "ip6tables-save")
FAMILIES = ("ip", "ip6")
OF_IPVS = re.compile(LEFT["iptables"])
OF_SERVICES = (iptables.PORT_CHAIN, iptables.ENDPOINT_CHAIN)


@dataclass(frozen=True)
class KernelState:
    """What one node's kernel holds. modes: of the kube-proxies that run, one as a rule. own: the node's addresses.

    leftovers: what else tells which modes have been here: `chain NAME …`, `table FAMILY`, `set NAME`, `link NAME`.
    """

    modes: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    chains: tuple[iptables.Saved, ...] = ()
    tables: tuple[nftables.Table, ...] = ()
    servers: tuple[ipvs.Virtual, ...] = ()
    foreign: frozenset[Address] = frozenset()
    leftovers: tuple[str, ...] = ()

    def in_use(self, declared: Mode) -> Mode | None:
        """The mode of the kube-proxy that runs, `declared` while none does; None where two contradict each other."""
        if not self.modes:
            return declared
        return next((mode for mode in LEFT if self.modes == (mode,)), None)

    def rules(self, mode: Mode | None) -> Iterator[Rule]:
        """Every rule. mode: the one in use; each leftover of another is a rule of that mode."""
        found: dict[Rule, None] = {}
        for saved in self.chains:
            found.update(dict.fromkeys(iptables.rules(saved)))
        for table in self.tables:
            found.update(dict.fromkeys(nftables.rules(table)))
        found.update(dict.fromkeys(ipvs.rules(self.servers, self.foreign)))
        found.update(dict.fromkeys(self._of_others(mode) if mode else ()))
        return iter(found)

    def _of_others(self, mode: Mode) -> Iterator[Rule]:
        for text in self.leftovers:
            what, name, *_ = text.split()
            if what == "chain" and re.match(LEFT[mode], name) and not any(p.fullmatch(name) for p in OF_SERVICES):
                yield Rule("ipvs" if OF_IPVS.match(name) else "iptables", None, None, "", text)
            elif what == "table" and mode != "nftables":
                yield Rule("nftables", None, None, "", f"table {name} kube-proxy")
            elif what in ("set", "link") and mode != "ipvs":
                yield Rule("ipvs", None, None, "", text)


@dataclass(frozen=True)
class Questions:
    """What a node is asked, all in one step."""

    proxy: ProxyMode

    def __iter__(self) -> Iterator[ShellQuestion]:
        return iter((self._mode, self._own, *self._saves, *self._tables, self._servers, self._foreign, self._leftovers))

    @property
    def _mode(self) -> ShellQuestion:
        return ShellQuestion(f"{look(self.proxy.services)}mode")

    @property
    def _own(self) -> ShellQuestion:
        return ShellQuestion('ip -o addr show | awk \'$2 != "kube-ipvs0" { sub("/.*", "", $4); print $4 }\'')

    @property
    def _saves(self) -> tuple[ShellQuestion, ...]:
        return tuple(ShellQuestion(f"{command} 2>/dev/null") for command in SAVES)

    @property
    def _tables(self) -> tuple[ShellQuestion, ...]:
        return tuple(ShellQuestion(f"nft -j list table {family} kube-proxy 2>/dev/null") for family in FAMILIES)

    @property
    def _servers(self) -> ShellQuestion:
        return ShellQuestion("cat /proc/net/ip_vs 2>/dev/null")

    @property
    def _foreign(self) -> ShellQuestion:
        return ShellQuestion(f"{look(self.proxy.services)}servers | grep ^foreign")

    @property
    def _leftovers(self) -> ShellQuestion:
        return ShellQuestion(f"{look(self.proxy.services)}chains {quote(CHAINS)}\ntables\nlink\nsets")

    def state(self, answers: Answers) -> KernelState:
        """What the node answered. Raises ValueError when nft printed what is no JSON."""

        def output(question: ShellQuestion) -> str:
            answer: ShellAnswer = answers[question]
            return answer.output

        return KernelState(
            modes=tuple(output(self._mode).split()),
            own=frozenset(output(self._own).split()),
            chains=tuple(iptables.parse(output(question)) for question in self._saves),
            tables=tuple(nftables.parse(output(q), family) for q, family in zip(self._tables, FAMILIES, strict=True)),
            servers=ipvs.parse(output(self._servers)),
            foreign=frozenset(ipvs.named(line) for line in output(self._foreign).splitlines()),
            leftovers=tuple(output(self._leftovers).splitlines()),
        )


def removal_step(proxy: ProxyMode, state: KernelState, stale: Collection[Rule], mode: Mode | None) -> Step:
    """The step that saves the rules, then removes stale rules: of the mode in use singly, of others the mode whole."""
    others = {rule.mode for rule in stale if mode and rule.mode != mode}
    mine = frozenset(rule for rule in stale if rule.mode not in others)
    parts = ["set -u", look(proxy.services), remove(), "save_rules"]
    if mode and others & {"iptables", "ipvs"}:
        parts.append(f"drop_chains {quote(LEFT[mode])}")
    parts += ["drop_tables"] if "nftables" in others else []
    parts += ["drop_ipvs"] if "ipvs" in others else []
    for command, saved in zip(("iptables", "ip6tables"), state.chains, strict=True):
        parts += _fed(f"{command}-restore -w 10 --noflush", iptables.removal_input(saved, mine))
    for table in state.tables:
        parts += _fed("nft -f -", nftables.removal_input(table, mine))
    parts.append(f"set -e\n{ipvs.removal_script(state.servers, mine)}")
    return Step("\n".join(parts), timeout=90)


def _fed(command: str, text: str) -> list[str]:
    return [f"printf %s {quote(text)} | {command} || exit 1"] if text else []
