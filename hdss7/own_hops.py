"""The hops of a project's own roles: hops/*.py, each with a HOP."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from provision.errors import InputError
from provision.search_path import SearchPath
from provision.verify.context import Context
from urltrace.own import OwnHop

FOLDER = "hops"


def own_hops(folders: SearchPath) -> tuple[OwnHop, ...]:
    """Every hop of the project. Raises InputError for a file that has none, or can't be read."""
    return tuple(_load(path) for path in sorted(folders.files(FOLDER, "*.py")) if not path.name.startswith("_"))


def by_host(hops: tuple[OwnHop, ...], context: Context) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """What each host is asked besides."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for hop in hops:
        for host in context.roles.get(hop.role, ()):
            found[host.name] = (*found.get(host.name, ()), *hop.commands)
    return found


def _load(path: Path) -> OwnHop:
    spec = importlib.util.spec_from_file_location(f"hdss7_hop_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        what = f"{FOLDER}/{path.name} can't be read"
        raise InputError(what, found=f"{type(error).__name__}: {error}", do="Correct this file.") from None
    hop = getattr(module, "HOP", None)
    if not isinstance(hop, OwnHop):
        raise InputError(f"{FOLDER}/{path.name} has no HOP", do="Write HOP = OwnHop(role=…, ask=…, find=…) into it.")
    return hop
