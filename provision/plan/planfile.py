"""A plan saved in a file: applied as it was shown, or not at all.

A plan file holds fingerprints, not scripts: of what was on each host, what was declared, and which resources differed.
The run that applies it plans again, and continues only if it gets the same plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from provision.atomic import replace_file
from provision.decoding import decode
from provision.errors import InputError
from provision.plan.plan import HostPlan, StaleError, stale_keys
from provision.spelling import listed
from provision.usage import usage

VERSION = 1


class SavedHost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host's part. seen: resource -> what it depends on; declared: resource -> its digest; changes: what differed."""

    seen: dict[str, str]
    declared: dict[str, str]
    changes: tuple[str, ...]
    after: tuple[str, ...]


class SavedPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content. who, when: its maker; commit: of the inventory."""

    version: int
    who: str
    when: str
    commit: str
    hosts: dict[str, SavedHost]


def saved_host(plan: HostPlan) -> SavedHost:
    """What of a plan is kept."""
    return SavedHost(
        seen=dict(plan.seen),
        declared={item.resource.key: _digest(item.resource.digest) for item in plan.items},
        changes=tuple(item.resource.key for item in plan.changes),
        after=tuple(item.resource.key for item in plan.after),
    )


def save(path: Path, plans: Sequence[HostPlan], who: str, when: str, commit: str) -> None:
    """Writes the file, for its owner alone. Raises InputError where it can't be written."""
    body = SavedPlan(VERSION, who, when, commit, {plan.host: saved_host(plan) for plan in plans})
    try:
        replace_file(path, msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n")
    except OSError as error:
        raise InputError(
            f"the plan could not be saved in {path}", found=str(error.strerror), do="Name a file that you may write"
        ) from None


def load(path: Path, hosts: Sequence[str]) -> SavedPlan:
    """The file's content. Raises InputError for a file that is none, and for one about other hosts than `hosts`."""
    try:
        plan = decode(path.read_bytes(), SavedPlan)
    except OSError as error:
        raise InputError(
            f"the plan {path} can't be read", found=str(error.strerror), do=f"Make one: {usage('plan --save FILE')}"
        ) from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InputError(
            f"{path} is not a saved plan", found=str(error), do=f"Make one: {usage('plan --save FILE')}"
        ) from None
    if plan.version != VERSION:
        raise InputError(
            f"{path} was saved by another version of this toolkit", do=f"Make it again: {usage('plan --save FILE')}"
        )
    if set(hosts) != set(plan.hosts):
        raise InputError(
            f"{path} is a plan for other hosts: {listed(sorted(plan.hosts), 6)}",
            found=f"This would deploy to {listed(sorted(hosts), 6)}",
            do="Type the options that the plan was made with: --inventory, --limit, --tags",
        )
    return plan


def check(saved: Mapping[str, SavedHost], plan: HostPlan) -> None:
    """Raises StaleError unless a host's plan is the one that was saved."""
    was, now = saved[plan.host], saved_host(plan)
    stale = stale_keys(was.seen, {**now.seen, **{key: was.seen.get(key, "") for key in was.after}})
    if stale:
        raise StaleError(
            "the host has moved on since the plan was saved: nothing was changed on any host",
            host=plan.host,
            found=f"Somebody or something changed {listed(stale, 6)}",
            do=f"Look at a new plan ({usage('plan')}), and save that",
        )
    other = [key for key in {**was.declared, **now.declared} if was.declared.get(key) != now.declared.get(key)]
    if other:
        raise StaleError(
            "the roles or the inventory declare something else than when the plan was saved: nothing was changed",
            host=plan.host,
            found=f"{listed(other, 6)} differs",
            do=f"Look at a new plan ({usage('plan')}), and save that",
        )
    more = [key for key in now.changes if key not in (*was.changes, *was.after)]
    if more:
        raise StaleError(
            "there is more to do now than when the plan was saved: nothing was changed on any host",
            host=plan.host,
            found=f"{listed(more, 6)} would change too",
            do=f"Look at a new plan ({usage('plan')}), and save that",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
