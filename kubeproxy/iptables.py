"""`iptables-save` read as rules for Services, and the `iptables-restore` input that removes stale ones. Pure.

kube-proxy's chains (pkg/proxy/iptables/proxier.go, Kubernetes 1.34): KUBE-SERVICES and KUBE-NODEPORTS lead to
KUBE-SVC-…, KUBE-SVL-…, KUBE-EXT-… or KUBE-FW-… of one Service port, those to KUBE-SEP-… of one endpoint, which does the
DNAT. In the table filter the same entrances refuse what has no endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kubeproxy.chains import ChainGraph
from kubeproxy.rules import NODE, Address, Rule
from provision.resources.kubernetes.proxy_rules import CHAINS

ENTRANCES = ("KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS")
OURS = re.compile(CHAINS)
PORT_CHAIN = re.compile(r"KUBE-(SVC|SVL|EXT|FW|XLB)-[A-Z2-7]+")
ENDPOINT_CHAIN = re.compile(r"KUBE-SEP-[A-Z2-7]+")
SERVICE = re.compile(r"(?:^|\s)([a-z0-9.-]+/[a-z0-9.-]+(?::[a-z0-9-]+)?)(?=\s|$)")  # in a rule's comment
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
PROBABILITY = re.compile(r" -m statistic --mode random --probability [0-9.]+")
REFUSALS = ("REJECT", "DROP")
TRANSLATIONS = ("DNAT", "REDIRECT")


@dataclass(frozen=True)
class SavedRule:
    """One rule as iptables-save prints it: `text` is what follows '-A '."""

    table: str
    chain: str
    text: str

    def value(self, *names: str) -> str:
        """What follows the first of these options that is there, and not negated; ''."""
        words = [quoted or plain for quoted, plain in WORD.findall(self.text)]
        for before, word, after in zip(["", *words], words, words[1:], strict=False):
            if word in names and before != "!":
                return str(after.replace('\\"', '"'))
        return ""

    @cached_property
    def target(self) -> str:
        """The chain or verdict that it ends in."""
        # the comment may hold anything, a target stands near the end
        return self.value("-j", "-g") if "--comment" not in self.text else self._after_comment("-j", "-g")

    @cached_property
    def service(self) -> str:
        """The Service port that its comment names; ''."""
        found = SERVICE.search(self.value("--comment"))
        return found[1] if found else ""

    @cached_property
    def frontend(self) -> Address | None:
        """The address that it is about; None when it names no port."""
        port = self.value("--dport", "--dports")
        if not port.isdigit():
            return None
        ip = self.value("-d").partition("/")
        everywhere = not ip[0] or (ip[2] not in ("", "32", "128"))
        return Address(NODE if everywhere else ip[0], self.value("-p"), int(port))

    @cached_property
    def backend(self) -> Address | None:
        """Where it translates to."""
        ip, _, port = self.value("--to-destination").rpartition(":")
        return Address(ip.strip("[]"), self.value("-p"), int(port)) if ip and port.isdigit() else None

    def _after_comment(self, *names: str) -> str:
        rest = re.sub(r'--comment ("(?:[^"\\]|\\.)*"|\S+)', "", self.text)
        return SavedRule(self.table, self.chain, rest).value(*names)


@dataclass(frozen=True)
class Saved:
    """One address family's tables: table -> chain -> its rules, in order."""

    tables: Mapping[str, Mapping[str, Sequence[SavedRule]]] = field(default_factory=dict)

    def rules(self, table: str, chain: str) -> Sequence[SavedRule]:
        """A chain's rules; none when it is not there."""
        return self.tables.get(table, {}).get(chain, ())


def parse(text: str) -> Saved:
    """What `iptables-save` or `ip6tables-save` printed. What is not a table, chain or rule is passed over."""
    tables: dict[str, dict[str, list[SavedRule]]] = {}
    chains: dict[str, list[SavedRule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
            chains = tables.setdefault(table, {})
        elif line.startswith(":"):
            chains.setdefault(line[1:].split(" ")[0], [])
        elif line.startswith("-A "):
            chain = line[3:].partition(" ")[0]
            chains.setdefault(chain, []).append(SavedRule(table, chain, line[3:]))
    return Saved(tables)


def rules(saved: Saved) -> Iterator[Rule]:
    """What is held for Services, each once, then chains that nothing leads to, then what other programs translate."""
    graph = _graph(saved)
    found: dict[Rule, None] = {}
    for entrance in _entrances(saved):
        found.update(dict.fromkeys(_of(graph, entrance)))
    for chain in graph.unreached(entrance.target for entrance in _entrances(saved)):
        service = next((rule.service for rule in saved.rules("nat", chain) if rule.service), "")
        found[Rule("iptables", None, graph.backend(chain), service, chain)] = None
    for chain, saved_rules in saved.tables.get("nat", {}).items():
        if not OURS.match(chain):
            for rule in saved_rules:
                if rule.target in TRANSLATIONS:
                    found[Rule("iptables", rule.frontend, rule.backend, "", chain, foreign=True)] = None
    return iter(found)


def removal_input(saved: Saved, stale: Collection[Rule]) -> str:
    """Input for `iptables-restore --noflush` that removes the stale rules alone; '' when there is nothing to do.

    An endpoint leaves its Service's chain, whose others then share the packets evenly, as kube-proxy has it; a Service
    port without any left goes whole.
    """
    graph = _graph(saved)
    entrances = _entrances(saved)
    gone = [rule for rule in entrances if (of := _of(graph, rule)) and all(each in stale for each in of)]
    removed = set(gone)
    kept = [(rule.frontend, rule.target) for rule in entrances if rule not in removed]
    cut = graph.stale_jumps(kept, stale)
    rewritten = {
        chain: _shared(graph, [rule for rule in saved.rules("nat", chain) if (chain, rule.target) not in cut])
        for chain in dict.fromkeys(chain for chain, _ in cut)
    }
    dropped = list(graph.unreached((target for _, target in kept), cut))
    return "".join(
        _table(table, [r for r in gone if r.table == table], rewritten if nat else {}, dropped if nat else [])
        for table in saved.tables
        for nat in [table == "nat"]
    )


def _graph(saved: Saved) -> ChainGraph:
    chains = {name: held for name, held in saved.tables.get("nat", {}).items() if _is_of_services(name)}
    return ChainGraph(
        jumps={name: [rule.target for rule in held if _is_of_services(rule.target)] for name, held in chains.items()},
        backends={name: [rule.backend for rule in held if rule.backend] for name, held in chains.items()},
    )


def _is_of_services(chain: str) -> bool:
    return bool(PORT_CHAIN.fullmatch(chain) or ENDPOINT_CHAIN.fullmatch(chain))


def _entrances(saved: Saved) -> list[SavedRule]:
    return [rule for table in saved.tables for chain in ENTRANCES for rule in saved.rules(table, chain)]


def _of(graph: ChainGraph, rule: SavedRule) -> list[Rule]:
    """What one rule of an entrance stands for."""
    frontend, target = rule.frontend, rule.target
    if frontend is None or target in ("KUBE-MARK-MASQ", "ACCEPT"):
        return []
    source = f"{rule.table} {rule.chain}"
    if target in REFUSALS:
        return [Rule("iptables", frontend, None, rule.service, source)]
    if not PORT_CHAIN.fullmatch(target):
        return [Rule("iptables", frontend, rule.backend, "", source, foreign=True)]
    backends: list[Address | None] = [*graph.backends_below(target)]
    return [Rule("iptables", frontend, backend, rule.service, source) for backend in backends or [None]]


def _shared(graph: ChainGraph, rules: Sequence[SavedRule]) -> list[str]:
    """The rules with new probabilities: the first of n endpoints takes 1/n, the next 1/(n-1), the last what is left."""
    # those of sessionAffinity come first, and each leads its own clients back: they take no share
    sharing = [rule for rule in rules if graph.backend(rule.target) and " -m recent " not in rule.text]
    texts = []
    for rule in rules:
        text = rule.text
        if rule in sharing:
            head, jump, target = PROBABILITY.sub("", text).rpartition(" -j ")
            left = len(sharing) - sharing.index(rule)
            chance = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
            text = f"{head}{chance}{jump}{target}"
        texts.append(text)
    return texts


def _table(
    table: str, gone: Sequence[SavedRule], rewritten: Mapping[str, Sequence[str]], dropped: Sequence[str]
) -> str:
    if not gone and not rewritten and not dropped:
        return ""
    flushed = [f":{chain} - [0:0]" for chain in (*rewritten, *dropped)]
    removed = [f"-D {rule.text}" for rule in gone]
    added = [f"-A {text}" for texts in rewritten.values() for text in texts]
    return "\n".join([f"*{table}", *flushed, *removed, *added, *(f"-X {chain}" for chain in dropped), "COMMIT", ""])
