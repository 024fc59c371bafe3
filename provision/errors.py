"""Errors written for the person who has to act on them, and the exit codes they end with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """How a run ended, as the shell sees it. Several at once: the first of SEVERITY that occurred."""

    OK = 0
    FAILED = 1
    DIFFERENCES = 2
    UNREACHABLE = 3
    BAD_INPUT = 4
    INTERRUPTED = 130


SEVERITY = (Exit.INTERRUPTED, Exit.BAD_INPUT, Exit.UNREACHABLE, Exit.FAILED, Exit.DIFFERENCES)


def worst(codes: list[Exit]) -> Exit:
    """The exit code of a run in which all of `codes` occurred; OK when there are none."""
    return next((code for code in SEVERITY if code in codes), Exit.OK)


@dataclass(frozen=True)
class Explanation:
    """What went wrong, in the parts that a person or a program wants to read.

    what: what was attempted. host, role: where. line: `file:line` of the user's own text.
    found: what came back. do: what to do about it.
    """

    what: str
    host: str = ""
    role: str = ""
    line: str = ""
    found: str = ""
    do: str = ""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.host, f"role {self.role}" if self.role else "", self.line) if part)
        head = f"{where}: {self.what}" if where else self.what
        return " ".join(_sentence(part) for part in (head, self.found, self.do) if part)

    def as_dict(self) -> dict[str, str]:
        """The `error` object of `--json` (contract: what, host, role, line, found, do)."""
        return asdict(self)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", ":")) or "\n" in text else text + "."


class ProvisionError(Exception):
    """Any failure that a user can cause or has to know of; never shown as a traceback."""

    exit = Exit.FAILED

    def __init__(
        self, what: str, *, host: str = "", role: str = "", line: str = "", found: str = "", do: str = ""
    ) -> None:
        self.explanation = Explanation(what, host, role, line, found, do)
        super().__init__(str(self.explanation))

    def at(self, *, host: str = "", role: str = "", line: str = "") -> Self:
        """The same error with where it happened. A part that the error already names stays."""
        known = self.explanation
        return self.but(host=known.host or host, role=known.role or role, line=known.line or line)

    def but(self, **parts: str) -> Self:
        """The same error with other parts of its explanation."""
        return type(self)(**{**self.explanation.as_dict(), **parts})


class InputError(ProvisionError):
    """Bad usage, inventory, settings, role or template: nothing was changed, exit 4."""

    exit = Exit.BAD_INPUT


class UnsetError(InputError):
    """A variable uses a name that is not set: `default()` in another variable may replace it."""


class UnreachableError(ProvisionError):
    """A host could not be logged in to: down, timeout, host key, authentication; exit 3."""

    exit = Exit.UNREACHABLE


class WorkerLostError(UnreachableError):
    """The process or machine that handled a host is lost. What it ran on a host runs to its end there."""

    @staticmethod
    def of(worker: str, why: str) -> WorkerLostError:
        """The error for one worker."""
        return WorkerLostError(
            "the worker that handled this host is lost",
            found=f"{worker}: {why}",
            do="Run the same command again: it finds out what was done",
        )


class FailedError(ProvisionError):
    """A change, a check or sudo failed on a host; exit 1."""


class UnsupportedError(FailedError):
    """A host or a cluster of a kind that this toolkit was not made for; exit 4, as every input that can't be right."""

    exit = Exit.BAD_INPUT
