"""What of one file of a set is not as declared. Pure."""

from __future__ import annotations

import hashlib

from provision.facts.host import FileState
from provision.resources.optional.sensitive import world_readable


def difference(name: str, content: bytes, known: FileState, released: FileState) -> str:
    """How a file differs from its declared content, as a plan prints it; '' when it does not.

    known: what is at the path that the program reads, which has to be a link; released: the file in the set itself.
    """
    if not known.sha256:
        return f"create {name}"
    if known.sha256 != hashlib.sha256(content).hexdigest():
        return f"{name}: content"
    if known.kind != "l":
        return f"{name}: a file instead of the link into the set"
    pairs = (
        ("mode", released.mode.zfill(4), "0644"),
        ("owner", f"{released.owner}:{released.group}", "root:root"),
    )
    wrong = ", ".join(f"{what} {found} -> {wanted}" for what, found, wanted in pairs if found != wanted)
    return f"{name}: {wrong}" if wrong else ""


def may_be_shown(known: FileState, released: FileState) -> bool:
    """Whether everybody on the host may read what is at a path now: only that goes into a diff."""
    state = released if known.kind == "l" else known
    return not known.exists or (state.exists and world_readable(state.mode))


def set_digest(contents: dict[str, bytes]) -> str:
    """Identifies a whole set by its names and contents; stamps on hosts hold it."""
    sums = [f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in sorted(contents.items())]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()[:32]
