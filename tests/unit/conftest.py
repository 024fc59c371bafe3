"""What the unit tests share: a folder of files written from a mapping of names to texts, and the lab's own roles."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any, Protocol

import pytest
from hypothesis import settings

# what an example costs on a busy machine says nothing about the code
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture(autouse=True)
def own_roles() -> Iterator[None]:
    """Forgets the roles that a project of a test brought: the tests' own modules have imported this one's."""
    before = _roles()
    yield
    if _roles().get("roles") is not before.get("roles"):
        for name in _roles():
            del sys.modules[name]
        sys.modules.update(before)


def _roles() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "roles"}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write({"hosts.yml": "..."})` writes the files and gives the folder that they are in."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        return tmp_path

    return write


ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
IMAGES = ("pause", "coredns", "traefik", "nginx", "agnhost", "websocket")


class Declared(Protocol):
    """What a role declares for a host of the lab, by key; `made`: after a deploy has made the certificates.
    `inventory`: another than the lab's; `also`: further ones."""

    def __call__(
        self,
        host: str,
        role: str,
        *extra: str,
        made: bool = True,
        inventory: Path = ROOT / "inventory/lab",
        also: tuple[Path, ...] = (),
    ) -> Mapping[str, Any]: ...


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """An inventory of what a lab that is up tells of itself."""
    found = {
        "pki_directory": str(tmp_path / "pki"),
        "binaries": {name: {"url": f"http://ops/bin/{name}", "sha256": "0" * 64} for name in PROGRAMS},
        "images": {
            name: {"name": f"lab.local/{name}:1", "url": f"http://ops/{name}.tar", "sha256": "1" * 64}
            for name in IMAGES
        },
        "apt_repository": {"url": "http://ops/apt", "line": "deb [trusted=yes] http://ops/apt ./"},
    }
    file = tmp_path / "facts.yml"
    file.write_text(json.dumps({"all": {"vars": found}}))
    return file


@pytest.fixture
def declared(facts: Path) -> Declared:
    """`declared("hdss7-21", "etcd", "etcd.quota=1")`: the role's resources on the lab's own inventory."""
    from provision.inventory import Inventory
    from provision.inventory.settings import SITE
    from provision.playbook.plays import Play, RoleUse
    from provision.playbook.roles import Roles
    from provision.search_path import SearchPath

    def declared(
        host: str,
        role: str,
        *extra: str,
        made: bool = True,
        inventory: Path = ROOT / "inventory/lab",
        also: tuple[Path, ...] = (),
    ) -> Mapping[str, Any]:
        roles = Roles(SearchPath.of(ROOT))
        namespaces = frozenset((*roles.names(), SITE))
        known = Inventory.load([inventory, *also, facts], extra, namespaces=namespaces)
        if made:
            roles.prepare(known, (Play("certificates", "all:!ops", (RoleUse("pki"),)),))
        plays = (Play("trial", "all:!ops", (RoleUse(role),)),)
        return {d.resource.key: d.resource for d in roles.declare(known.host(host), plays)}

    return declared
