"""One deployed lab that is injured and heals again and again, and the book that its rows are written into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.conftest import running
from tests.lab.faults.fast_site import project
from tests.lab.faults.record import Book
from tests.lab.faults.testbed import Bench

NAME = "t-faults"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on-lab", default="", help="a lab that is up and deployed: it is used, and left as it is")


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The default site, deployed from bare, or the one that --on-lab names."""
    if name := request.config.getoption("--on-lab"):
        yield Bench(name)
        return
    with running(NAME):
        made = Bench(NAME)
        deployed = made.invoke("deploy")
        assert deployed.code == 0, str(deployed)
        yield made


@pytest.fixture(scope="session")
def book() -> Book:
    """Where rows are written."""
    return Book.read()


@pytest.fixture(scope="module")
def quick_bench(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The same lab, with a site that soaks for a shorter time; as it was at the end."""
    made = Bench(bench.name, project(tmp_path_factory.mktemp("quick")))
    deployed = made.invoke("deploy")
    assert deployed.code == 0, str(deployed)
    yield made
    deployed = bench.invoke("deploy")
    assert deployed.code == 0, str(deployed)


def _settled(bench: Bench) -> Iterator[Bench]:
    bench.settle()
    yield bench
    bench.settle()


@pytest.fixture
def site(bench: Bench) -> Iterator[Bench]:
    """The site, as declared before a change and after it."""
    yield from _settled(bench)


@pytest.fixture
def quick_site(quick_bench: Bench) -> Iterator[Bench]:
    """The site with short soaks, as declared before a fault and again after it."""
    yield from _settled(quick_bench)
