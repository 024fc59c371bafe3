"""The words for a change that failed: what the host said, and what to do about it."""

from __future__ import annotations

from provision.errors import FailedError
from provision.plan.plan import Item
from provision.remote.protocol import Step, StepResult
from provision.resources.base import Unknown

REMEDIES = {
    "No space left on device": "Free space on the host (df -h; journalctl --vacuum-size=100M) and run again",
    "Read-only file system": "The file system is mounted read-only: look at dmesg and remount it, then run again",
    "Could not get lock": "Another apt is at work: wait for it to end (ps aux | grep apt), then run again",
    "invalid user": "Create the user first, or correct owner in the role",
    "invalid group": "Create the group first, or correct group in the role",
}


def remedy(result: StepResult) -> str:
    """What to do where the host's own words say it; else ''."""
    return next((remedy for message, remedy in REMEDIES.items() if message in result.errors), "")


def failed(item: Item, what: str, found: str, do: str) -> FailedError:
    """The error of an item, at the line that declares it, without the secrets of its role."""
    declaration = item.declaration
    parts = declaration.redactor.cleaned_all({"what": what, "found": found, "do": do})
    return FailedError(role=declaration.role, line=declaration.line, **parts)


def still_unknown(item: Item, outcome: Unknown) -> FailedError:
    """The error of an item whose time has come and that still can't be known."""
    return failed(item, "could not be looked at", f"still waiting: {outcome.until}", "")


def said(result: StepResult, step: Step) -> str:
    """What the host said of a step that failed."""
    if result.timed_out:
        return f"it took longer than {step.timeout:.0f} s. {_last(result.errors)}"
    return _last(result.errors) or _last(result.output) or f"exit code {result.code}"


def _last(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
