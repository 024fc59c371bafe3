"""An error says where it happened, once."""

from __future__ import annotations

import pytest

from provision.errors import FailedError, InputError, ProvisionError, UnreachableError
from provision.remote.lock import LockedError


def test_at_fills_only_what_is_still_empty() -> None:
    error = FailedError("broken", role="base", found="x").at(host="h1", role="edge", line="roles/base.py:3")
    known = error.explanation
    assert (known.host, known.role, known.line, known.found) == ("h1", "base", "roles/base.py:3", "x")
    assert str(error) == "h1, role base, roles/base.py:3: broken. x."


@pytest.mark.parametrize("kind", [FailedError, InputError, UnreachableError, LockedError])
def test_at_keeps_the_type_and_so_the_exit_code(kind: type[ProvisionError]) -> None:
    error = kind("broken").at(host="h1")
    assert (type(error), error.exit) == (kind, kind.exit)


def test_but_replaces_parts_of_the_explanation() -> None:
    error = FailedError("broken", host="h1", do="wait").but(do="run again")
    assert (error.explanation.host, error.explanation.do) == ("h1", "run again")
