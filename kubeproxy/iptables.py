"""`iptables-save` read as lines, and the `iptables-restore` input that removes stale ones. Pure.

kube-proxy's chains (pkg/proxy/iptables/proxier.go, Kubernetes 1.34): KUBE-SERVICES and KUBE-NODEPORTS lead to
KUBE-SVC-…, KUBE-SVL-…, KUBE-EXT-… or KUBE-FW-… of one Service port, those to KUBE-SEP-… of one endpoint, which does the
DNAT. In the table filter the same entrances refuse what has no endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kubeproxy.rules import NODE, Address, Line
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
Jump = tuple[str, str]  # from a chain, to a chain


@dataclass(frozen=True)
class Rule:
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
    def asked(self) -> Address | None:
        """The address that it is about; None when it names no port."""
        port = self.value("--dport", "--dports")
        if not port.isdigit():
            return None
        ip = self.value("-d").partition("/")
        everywhere = not ip[0] or (ip[2] not in ("", "32", "128"))
        return Address(NODE if everywhere else ip[0], self.value("-p"), int(port))

    @cached_property
    def to(self) -> Address | None:
        """Where it translates to."""
        ip, _, port = self.value("--to-destination").rpartition(":")
        return Address(ip.strip("[]"), self.value("-p"), int(port)) if ip and port.isdigit() else None

    def _after_comment(self, *names: str) -> str:
        rest = re.sub(r'--comment ("(?:[^"\\]|\\.)*"|\S+)', "", self.text)
        return Rule(self.table, self.chain, rest).value(*names)


@dataclass(frozen=True)
class Saved:
    """One address family's tables: table -> chain -> its rules, in order."""

    tables: Mapping[str, Mapping[str, Sequence[Rule]]] = field(default_factory=dict)

    def rules(self, table: str, chain: str) -> Sequence[Rule]:
        """A chain's rules; none when it is not there."""
        return self.tables.get(table, {}).get(chain, ())


def parse(text: str) -> Saved:
    """What `iptables-save` or `ip6tables-save` printed. What is not a table, chain or rule is passed over."""
    tables: dict[str, dict[str, list[Rule]]] = {}
    chains: dict[str, list[Rule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
            chains = tables.setdefault(table, {})
        elif line.startswith(":"):
            chains.setdefault(line[1:].split(" ")[0], [])
        elif line.startswith("-A "):
            chain = line[3:].partition(" ")[0]
            chains.setdefault(chain, []).append(Rule(table, chain, line[3:]))
    return Saved(tables)


def lines(saved: Saved) -> Iterator[Line]:
    """What is held for Services, each once, then chains that nothing leads to, then what other programs translate."""
    found: dict[Line, None] = {}
    for rule in _entrances(saved):
        found.update(dict.fromkeys(_of(saved, rule)))
    for chain in _unreached(saved, _entrances(saved)):
        rules = saved.rules("nat", chain)
        to = next((rule.to for rule in rules if rule.to), None)
        service = next((rule.service for rule in rules if rule.service), "")
        found[Line("iptables", None, to, service, chain)] = None
    for chain, rules in saved.tables.get("nat", {}).items():
        if not OURS.match(chain):
            for rule in rules:
                if rule.target in TRANSLATIONS:
                    found[Line("iptables", rule.asked, rule.to, "", chain, foreign=True)] = None
    return iter(found)


def cleaning(saved: Saved, stale: Collection[Line]) -> str:
    """Input for `iptables-restore --noflush` that removes the stale lines alone; '' when there is nothing to do.

    An endpoint leaves its Service's chain, whose others then share the packets evenly, as kube-proxy has it; a Service
    port without any left goes whole.
    """
    entrances = _entrances(saved)
    gone = [rule for rule in entrances if (of := _of(saved, rule)) and all(line in stale for line in of)]
    removed = set(gone)
    kept = [rule for rule in entrances if rule not in removed]
    cut = _cut(saved, kept, stale)
    rewritten = {
        chain: _shared(saved, [rule for rule in saved.rules("nat", chain) if (chain, rule.target) not in cut])
        for chain in dict.fromkeys(chain for chain, _ in cut)
    }
    dropped = list(_unreached(saved, kept, cut))
    return "".join(
        _table(table, [r for r in gone if r.table == table], rewritten if nat else {}, dropped if nat else [])
        for table in saved.tables
        for nat in [table == "nat"]
    )


def _entrances(saved: Saved) -> list[Rule]:
    return [rule for table in saved.tables for chain in ENTRANCES for rule in saved.rules(table, chain)]


def _of(saved: Saved, rule: Rule) -> list[Line]:
    """The lines that one rule of an entrance stands for."""
    asked, target = rule.asked, rule.target
    if asked is None or target in ("KUBE-MARK-MASQ", "ACCEPT"):
        return []
    at = f"{rule.table} {rule.chain}"
    if target in REFUSALS:
        return [Line("iptables", asked, None, rule.service, at)]
    if not PORT_CHAIN.fullmatch(target):
        return [Line("iptables", asked, rule.to, "", at, foreign=True)]
    ends = dict.fromkeys(to for chain in _below(saved, target) for r in saved.rules("nat", chain) if (to := r.to))
    return [Line("iptables", asked, to, rule.service, at) for to in ends or [None]]


def _below(saved: Saved, chain: str, cut: Collection[Jump] = ()) -> list[str]:
    """The chain and all of Service ports and endpoints that it leads to, but for the jumps in `cut`."""
    found = [chain]
    for each in found:
        for rule in saved.rules("nat", each):
            to = rule.target
            if (PORT_CHAIN.fullmatch(to) or ENDPOINT_CHAIN.fullmatch(to)) and (each, to) not in cut and to not in found:
                found.append(to)
    return found


def _cut(saved: Saved, kept: Collection[Rule], stale: Collection[Line]) -> list[Jump]:
    """The jumps to stale endpoints below the entrances that stay."""
    pairs = {(line.asked, line.to) for line in stale if line.asked and line.to}
    return list(
        dict.fromkeys(
            (chain, rule.target)
            for entrance in kept
            if PORT_CHAIN.fullmatch(entrance.target)
            for chain in _below(saved, entrance.target)
            for rule in saved.rules("nat", chain)
            if (entrance.asked, _leads_to(saved, rule)) in pairs
        )
    )


def _unreached(saved: Saved, entrances: Collection[Rule], cut: Collection[Jump] = ()) -> Iterator[str]:
    """Chains of Service ports and endpoints that no entrance leads to, once the jumps in `cut` are gone."""
    targets = dict.fromkeys(rule.target for rule in entrances if PORT_CHAIN.fullmatch(rule.target))
    reached = {chain for target in targets for chain in _below(saved, target, cut)}
    for chain in saved.tables.get("nat", {}):
        if (PORT_CHAIN.fullmatch(chain) or ENDPOINT_CHAIN.fullmatch(chain)) and chain not in reached:
            yield chain


def _leads_to(saved: Saved, rule: Rule) -> Address | None:
    """The endpoint that a rule jumps to, if it is one."""
    if not ENDPOINT_CHAIN.fullmatch(rule.target):
        return None
    return next((r.to for r in saved.rules("nat", rule.target) if r.to), None)


def _shared(saved: Saved, rules: Sequence[Rule]) -> list[str]:
    """The rules with new probabilities: the first of n endpoints takes 1/n, the next 1/(n-1), the last what is left."""
    # those of sessionAffinity come first, and each leads its own clients back: they take no share
    sharing = [rule for rule in rules if _leads_to(saved, rule) and " -m recent " not in rule.text]
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


def _table(table: str, gone: Sequence[Rule], rewritten: Mapping[str, Sequence[str]], dropped: Sequence[str]) -> str:
    if not gone and not rewritten and not dropped:
        return ""
    flushed = [f":{chain} - [0:0]" for chain in (*rewritten, *dropped)]
    removed = [f"-D {rule.text}" for rule in gone]
    added = [f"-A {text}" for texts in rewritten.values() for text in texts]
    return "\n".join([f"*{table}", *flushed, *removed, *added, *(f"-X {chain}" for chain in dropped), "COMMIT", ""])
