"""kube-proxy's mode, as the kernel sees it: what another mode has left is saved, then removed before the start.

kube-proxy does not do it: it cleans up only between iptables and nftables, and what ipvs leaves keeps answering beside
the new rules (KEP-2448). `kube-proxy --cleanup` is not used: it flushes the virtual servers of other programs too
(kubernetes#55857), and without kmod it reports success and leaves everything. What stands there is read, what is
kube-proxy's is removed by its name, and it is read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from provision.errors import FailedError
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Unknown
from provision.resources.kubernetes.proxy_rules import CHAINS, LEFT, SAVED, SCRIPTS, Mode, look, remove
from provision.resources.optional.explainable import Explainable
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.validation import check_name
from provision.spelling import listed

STOP_SECONDS = 45  # what supervisord gives it to stop, and some more
WORDS = {"chain": "chain", "table": "nft table", "set": "ipset", "server": "virtual server", "link": "interface"}


@dataclass(frozen=True, kw_only=True)
class ProxyMode(Reversible, Explainable):
    """Nothing of kube-proxy's other modes is in the kernel, and no orphaned kube-proxy runs.

        ProxyMode(program="kube-proxy-7-21", mode="nftables", services="192.168.0.0/16")

    program: its name under supervisord. It is stopped while rules are removed, so its Program has to name this in
    `restart_on`. services: the cluster's service addresses. Rules are saved below SAVED first, the last KEPT times.
    """

    program: str
    mode: Mode
    services: str

    def __post_init__(self) -> None:
        check_name("ProxyMode", "program", self.program, r"[A-Za-z0-9_.-]+")

    @property
    def key(self) -> str:
        return f"ProxyMode {self.program}"

    @property
    def _question(self) -> ShellQuestion:
        return ShellQuestion(look(self.services) + SCRIPTS.call("proxy_left", self.mode, LEFT[self.mode]))

    def questions(self) -> tuple[Question, ...]:
        return (self._question,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        held = _held(answers[self._question])
        foreign = [" ".join(rest) for what, *rest in held if what == "foreign"]
        left = [words for words in held if words[0] in WORDS]
        orphans = [words[1] for words in held if words[0] == "orphan"]
        if foreign and (self.mode == "ipvs" or any(words[0] in ("server", "link", "set") for words in left)):
            raise FailedError(
                f"IPVS holds virtual servers that are not Kubernetes': {self.program} is left as it is",
                found=f"No Service has the address of {listed(foreign, 6)}. kube-proxy in mode ipvs removes what it "
                "does not know, and only you know what they are for",
                do="Move them to another host or remove them (ipvsadm -D), or "
                + ("set kube_proxy.mode to nftables" if self.mode == "ipvs" else "leave kube_proxy.mode as it was"),
            )
        parts = [f"remove what other modes left: {_counted(left)}"] if left else []
        parts += [f"end {listed(orphans)} (orphaned)"] if orphans else []
        return Change(Action.RUN, "; ".join(parts)) if parts else None

    def evidence(self, change: Change) -> tuple[Question, ...]:
        return (self._question,)

    def explain(self, change: Change, answers: Answers) -> Change:
        gone = [" ".join(words) for words in _held(answers[self._question]) if words[0] in (*WORDS, "orphan")]
        return replace(change, diff="\n".join(f"-{line}" for line in gone))

    @property
    def rollback_summary(self) -> str:
        return f"the mode before, cleaned in the same way; the rules so far are in {SAVED}"

    def snapshot_script(self, change: Change) -> str:
        return f"{look(self.services)}mode\n"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        before = snapshot.decode("utf-8", "replace").strip()
        mode: Mode | None = next((mode for mode in LEFT if mode == before), None)
        if mode is None:
            return Rollback(why=f"{self.key}: which mode ran before is not known; the rules so far are in {SAVED}")
        return Rollback((replace(self, mode=mode),))

    def fix(self, change: Change) -> Step:
        clear = SCRIPTS.call("proxy_clear", self.program, CHAINS)
        return Step("".join(("set -u\n", look(self.services), remove(), clear)), timeout=STOP_SECONDS + 180)


def _held(answer: ShellAnswer) -> list[list[str]]:
    return [line.split() for line in answer.output.splitlines() if line.strip()]


def _counted(left: Sequence[Sequence[str]]) -> str:
    """`60 chains, 2 nft tables`."""
    counts = Counter(WORDS[words[0]] for words in left)
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())
