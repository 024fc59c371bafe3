"""What a plan calls 'no longer declared', and what it leaves out of that: the version before the one that runs."""

from __future__ import annotations

import pytest

from provision.facts.managed import ADOPTED, MADE, Managed
from provision.history.prune import orphans
from provision.plan.plan import Declaration
from provision.resources import Directory, Resource, Symlink

LINK = Symlink(path="/opt/k", target="/opt/k-v3", versions="/opt/k-v")
OTHER = Directory(path="/srv")


def declared(*resources: Resource) -> tuple[Declaration, ...]:
    return tuple(Declaration(resource, "role", "roles/role.py:1", 0) for resource in resources)


def names(*made: str, by: tuple[Resource, ...] = (LINK,), flag: str = MADE) -> list[str]:
    return [line.key for line in orphans([Managed(key, flag, "role", "run") for key in made], declared(*by))]


@pytest.mark.parametrize(
    ("made", "undeclared"),
    [
        (["File /opt/k-v2/a", "Directory /opt/k-v2"], []),
        (["File /opt/k-v1/a", "File /opt/k-v2/a", "File /opt/k-v2/b"], ["File /opt/k-v1/a"]),
        (["File /opt/k/a", "Symlink /opt/k"], []),  # as it was called before versions had folders of their own
        (["File /opt/k-v2x/a"], []),
        (["File /opt/kk/a"], ["File /opt/kk/a"]),
        (["Manifests x", "File /opt/k-v2/a"], ["Manifests x"]),
    ],
)
def test_the_previous_version_stays_declared(made: list[str], undeclared: list[str]) -> None:
    assert names(*made) == undeclared


def test_without_a_link_every_version_is_undeclared() -> None:
    assert names("File /opt/k-v1/a", "File /opt/k-v2/a", by=(OTHER,)) == ["File /opt/k-v2/a", "File /opt/k-v1/a"]


def test_what_was_there_before_is_nobody_s_orphan() -> None:
    assert names("File /opt/x", flag=ADOPTED) == []
