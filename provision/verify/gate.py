"""The checks that a node has to pass before it takes requests again: those marked `gate`, asked without pytest."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from provision.errors import InputError
from provision.project import Project, Selection
from provision.verify.checks import FOLDER, PACKAGE, Check, Node, begin, body_of, sentence
from provision.verify.context import Context
from provision.verify.scheduler import run_checks

RETRY_SECONDS = 30.0  # how long failing gate checks of a node that was just changed are retried


class Gate:
    """Called with a host's name, returns what its gate checks found wrong; '' when they pass.

    roles: only their checks, because checks of plays still to come would fail. Raises InputError for a file of checks
    that can't be loaded.
    """

    def __init__(
        self,
        project: Project,
        selection: Selection,
        stop: threading.Event | None = None,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._context = Context(project, selection)
        self._stop = stop or threading.Event()
        self._retry_seconds = retry_seconds

    def __call__(self, host: str, roles: Collection[str] | None = None) -> str:
        checks = list(self._checks(host, roles))
        outcomes = run_checks(checks, self._context.locations, retry_for=lambda _: self._retry_seconds, stop=self._stop)
        return "; ".join(f"{c.sentence}: {o.found}" for c in checks if not (o := outcomes[c.identity]).passed)

    def close(self) -> None:
        """Ends its connections."""
        self._context.close()

    def _checks(self, host: str, roles: Collection[str] | None) -> Iterator[Check]:
        for role, function in self._written:
            if roles is not None and role not in roles:
                continue
            on = _mark(function, "on")
            for node in self._context.about(role, str(on.args[0]) if on else None):
                if node.name == host:
                    start = self._start(function, role, node)
                    yield Check(f"{role}.{function.__name__}", host, sentence(function), start)

    def _start(self, function: Any, role: str, node: Node) -> Callable[[], Any]:
        body = body_of(function)
        if body is None or _mark(function, "parametrize"):
            raise InputError(
                f"{function.__name__} of {role} is marked gate, and can't be one",
                do="A gate is one check of one node: made by @check, without parametrize",
            )
        known = self._context.known(role, node)
        return lambda: begin(body, known)

    @cached_property
    def _written(self) -> tuple[tuple[str, Any], ...]:
        """(role, check) for every check marked gate, in the order written."""
        folders = self._context.project.folders
        folders.make_importable(PACKAGE)
        return tuple(
            (path.stem.removeprefix("test_"), found)
            for path in folders.files(FOLDER, "test_*.py")
            for name, found in vars(_load(path)).items()
            if name.startswith("test_") and _mark(found, "gate")
        )


def _load(path: Path) -> ModuleType:
    name = f"provision_gate_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(
            f"{path.name} can't be read",
            found=f"{type(error).__name__}: {error}",
            do="Correct this file of tests/verify",
        ) from None
    sys.modules[name] = module
    return module


def _mark(function: Any, name: str) -> Any:
    """The pytest mark of that name, None when the function doesn't bear it."""
    return next((mark for mark in getattr(function, "pytestmark", ()) if mark.name == name), None)
