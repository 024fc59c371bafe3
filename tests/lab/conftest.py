"""Labs for the tests: each of its own name, none of them the user's, none left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.inventory.access import FABRIC, TRANSPORTS

if TYPE_CHECKING:
    from lab.state import Lab
    from tests.lab.entrance import Entrance
    from tests.lab.tls_site import TlsSite

ROOT = Path(__file__).resolve().parents[2]
LAB_INVENTORY = ROOT / "inventory" / "lab"
both_transports = pytest.mark.parametrize("transport", TRANSPORTS)


@dataclass(frozen=True)
class RunningLab:
    """A lab that is up. sources: the inventory sources by which its hosts are reached."""

    name: str
    sources: tuple[Path, ...]


@contextmanager
def running(name: str, *inventory: Path, wait_artifacts: bool = True) -> Iterator[RunningLab]:
    """A fresh lab, forgotten at the end. inventory: its sources, the default site's where there is none."""
    from lab import commands
    from lab.state import Lab

    sources = inventory or (LAB_INVENTORY,)
    commands.down(name, purge=True, say=lambda _: None)
    commands.up(name, sources, wait_artifacts=wait_artifacts, say=lambda _: None)
    try:
        yield RunningLab(name, (*sources, Lab.named(name).inventory))
    finally:
        commands.down(name, purge=True, say=lambda _: None)


@pytest.fixture
def transport() -> str:
    """How the hosts are reached; a test that is marked with `both_transports` runs by each."""
    return FABRIC


@pytest.fixture(scope="module")
def bare_lab(request: pytest.FixtureRequest) -> Iterator[RunningLab]:
    """The default site's hosts, bare, for one module."""
    with running(f"t-{request.module.__name__.rpartition('.')[2].removeprefix('test_').replace('_', '-')[:12]}") as lab:
        yield lab


@pytest.fixture(scope="session")
def entrance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrance]:
    """The site with ten applications behind its edge."""
    from tests.lab.entrance import deployed_entrance

    with deployed_entrance(tmp_path_factory.mktemp("entrance")) as made:
        yield made


@pytest.fixture(scope="session")
def tls() -> Iterator[TlsSite]:
    """The site of the tests of TLS, deployed without it."""
    from tests.lab.tls_site import tls_site

    with tls_site() as made:
        yield made


@pytest.fixture(scope="module")
def purged() -> Iterator[None]:
    """No lab of the tests of the lab itself before a module of theirs, and none after."""
    from lab import commands
    from lab.state import Lab
    from tests.lab.hosts import NAME, OTHER, SUDO, quiet, traces

    for name in (NAME, OTHER, SUDO):
        commands.down(name, purge=True, say=quiet)
    yield
    for name in (NAME, OTHER, SUDO):
        commands.down(name, purge=True, say=quiet)
        assert traces(name) == []
        assert not Lab.named(name).directory.exists()


@pytest.fixture
def running_lab(purged: None) -> Lab:
    """The lab with bare hosts, up: as the test before left it, or put right."""
    from lab.state import Lab
    from tests.lab.hosts import NAME, up

    up()
    return Lab.named(NAME)


@pytest.fixture(scope="session")
def site() -> Iterator[None]:
    """The default site, deployed from bare: one for all modules that only need it to be there."""
    from lab.state import Lab
    from tests.lab.hosts import traces
    from tests.lab.typed import NAME, invoke

    with running(NAME):
        deployed = invoke("deploy")
        assert deployed.code == 0, str(deployed)
        yield
    assert traces(NAME) == []
    assert not Lab.named(NAME).directory.exists()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without root there is no lab: said, not silent."""
    if os.geteuid() != 0:
        for item in items:
            if "tests/lab" in str(item.path):
                item.add_marker(pytest.mark.skip(reason="the lab needs root: run `sudo make test`"))
