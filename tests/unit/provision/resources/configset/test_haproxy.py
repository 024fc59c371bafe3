"""What a host adds to a set of HAProxy's: who it says that it is, and the files of users that it is to read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provision.resources.configset.haproxy import HAProxy


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A set that is about to be used."""
    (tmp_path / "haproxy.cfg").write_text("backend nodes\n    server a 10.0.0.1:81 check\n")
    return tmp_path


def completed(new: Path) -> str:
    """Completes the set; returns what it says that it is."""
    script = HAProxy(answer="127.0.0.2:80").complete()
    subprocess.run(["sh", "-c", script], env={"NEW": str(new), "PATH": "/usr/bin:/bin"}, check=True)
    return (new / "release").read_text()


def test_each_file_of_users_is_linked_by_its_name(new: Path) -> None:
    (new / "users.list").write_text("/etc/edge-users/shop.od.com/1a.cfg\n/etc/edge-users/traefik.od.com/2b.cfg\n")
    completed(new)
    assert {link.name: str(link.readlink()) for link in (new / "users.d").iterdir()} == {
        "shop.od.com.cfg": "/etc/edge-users/shop.od.com/1a.cfg",
        "traefik.od.com.cfg": "/etc/edge-users/traefik.od.com/2b.cfg",
    }


def test_without_users_the_folder_is_there_and_empty(new: Path) -> None:
    completed(new)
    assert list((new / "users.d").iterdir()) == []


def test_another_file_of_users_is_another_set_and_a_drain_is_none(new: Path) -> None:
    before = completed(new)
    (new / "haproxy.cfg").write_text("backend nodes\n    server a 10.0.0.1:81 disabled check\n")
    assert completed(new) == before
    (new / "users.list").write_text("/etc/edge-users/shop.od.com/1a.cfg\n")
    assert completed(new) != before
