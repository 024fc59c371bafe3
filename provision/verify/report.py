"""The report of `verify`: a line for each check with the hosts that pass it, a paragraph for each failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PASSED, FAILED, SKIPPED = "=", "!", "?"


@dataclass(frozen=True)
class Checked:
    """One check of one host. found: what came back instead of the expected. skipped: why it did not run.

    unreachable: it could not run, `found` says why.
    """

    role: str
    host: str
    sentence: str
    found: str = ""
    skipped: str = ""
    unreachable: bool = False

    @property
    def symbol(self) -> str:
        """As it stands before the line."""
        return FAILED if self.found else SKIPPED if self.skipped else PASSED


@dataclass
class Report:
    """Listens to a verification. say: prints a line.

    unread: a file of checks could not be loaded, or pytest broke off. refused: why no check could be chosen.
    """

    say: Callable[[str], None]
    unread: bool = False
    refused: str = ""
    checks: list[Checked] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def begin(self, count: int, hosts: Sequence[str]) -> None:
        """Before anything is asked."""
        if count:
            self.say(f"running {_number(count, 'check')} on {', '.join(hosts)}, and from outside")

    def waiting(self, sentences: Sequence[str], seconds: float) -> None:
        """Some checks fail so far."""
        first = f"{sentences[0]}{', …' if len(sentences) > 1 else ''}"
        self.say(f"{_number(len(sentences), 'check')} failing ({first}); retrying for up to {seconds:.0f} s")

    def unreadable(self, name: str, why: str) -> None:
        """A file of checks could not be loaded."""
        self.unread = True
        self.say(f"{FAILED} {name} can't be read: {why.strip()}")

    def checked(self, check: Checked) -> None:
        """One more check is over."""
        self.checks.append(check)

    @property
    def unreachable(self) -> bool:
        """Whether a host could not be asked."""
        return any(check.unreachable for check in self.checks)

    @property
    def failed(self) -> list[Checked]:
        """The checks that failed."""
        return [check for check in self.checks if check.found]

    def close(self) -> None:
        """Print the results, failures last, where they are seen."""
        lines: dict[tuple[str, str, str, str], dict[str, None]] = {}
        for check in self.checks:
            lines.setdefault((check.symbol, check.role, check.sentence, check.skipped), {})[check.host] = None
        wide = max((len(check.role) for check in self.checks), default=0)
        for (symbol, role, sentence, skipped), hosts in lines.items():
            if symbol != FAILED:
                why = f": skipped, {skipped}" if skipped else ""
                self.say(f"{symbol} {role:{wide}}  {sentence}{why}  ({', '.join(host for host in hosts if host)})")
        lost: dict[str, int] = {}
        for check in self.failed:
            if check.unreachable:
                lost[check.found] = lost.get(check.found, 0) + 1
                continue
            at = f" on {check.host}" if check.host else ""
            self.say(f"{FAILED} {check.role:{wide}}  FAILED{at}: {check.sentence}. Found: {check.found}")
        for why, count in lost.items():
            self.say(f"{FAILED} {_number(count, 'check')} could not run. {why}")
        self.say(self.summary())

    def summary(self) -> str:
        """The last line: how many passed, how long it took."""
        seconds = time.monotonic() - self.began
        hosts = {check.host for check in self.checks if check.host}
        text = f"verify: {_number(len(self.checks), 'check')} on {_number(len(hosts), 'host')}"
        skipped = sum(1 for check in self.checks if check.skipped)
        end = f", {skipped} skipped" if skipped else ""
        lost = sum(1 for check in self.checks if check.unreachable)
        broken = len(self.failed) - lost
        whole = "the rest is unknown" if self.unread else "all passed"
        failures = ", ".join([f"{broken} failed"] * bool(broken) + [f"{lost} not run"] * bool(lost))
        return f"{text}, {failures or whole}{end}; {seconds:.1f} s"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
