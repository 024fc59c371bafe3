"""A small site with a virtual machine on it: the least that kube-proxy needs to have something to say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import LAB_INVENTORY
from tests.lab.hosts import traces
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed

NAME = "t-vm"
MACHINE, ADDRESS = "hdss7-23", "10.4.7.23"
MASTER, EDGE = "hdss7-21", "hdss7-11"
HOSTS = {
    **{group: {EDGE: {"ansible_host": "10.4.7.11"}} for group in ("edge", "dns")},
    **{group: {MASTER: {"ansible_host": "10.4.7.21"}} for group in ("nodes", "masters", "etcd")},
    "ops": {"hdss7-200": {"ansible_host": "10.4.7.200"}},
    "proxy_only": {},
}


class Bench(Typed):
    """The lab, and its site's inventory: the default lab's settings for fewer hosts."""

    seconds = 1200  # an emulated processor on a busy machine

    def __init__(self, folder: Path) -> None:
        super().__init__(NAME)
        self.folder = folder
        site = {"vars": {"ansible_user": "root"}, "children": {g: {"hosts": hosts} for g, hosts in HOSTS.items()}}
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": site}))
        (folder / "group_vars").symlink_to(LAB_INVENTORY / "group_vars")
        (folder / "host_vars").mkdir()

    def proxy(self, mode: str, scheduler: str = "") -> None:
        """What kube-proxy on the machine is to be, from the next deploy on."""
        settings = {"kube_proxy": {"mode": mode, "scheduler": scheduler}}
        (self.folder / "host_vars" / f"{MACHINE}.yml").write_text(yaml.safe_dump(settings))

    def site(self, command: str, *words: str) -> Ended:
        """A command on this inventory."""
        return self.invoke(command, "--inventory", str(self.folder), *words)

    def deploy(self, mode: str, scheduler: str = "") -> dict[str, Any]:
        """Deploys that on the machine alone. Returns what --json said of it."""
        self.proxy(mode, scheduler)
        done = self.site("deploy", "--limit", MACHINE, "--json")
        assert done.code == 0, str(done)
        found: dict[str, Any] = done.document["hosts"][MACHINE]
        return found


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The site, deployed from bare, the machine in mode ipvs with nq as the lab's inventory has it; two pods to choose
    from behind nginx-dp; and a way from the edge, which is no node, through the machine to services' addresses."""
    from lab import commands
    from lab.state import Lab

    made = Bench(tmp_path_factory.mktemp("site"))
    commands.down(NAME, purge=True, say=lambda _: None)
    try:
        commands.up(NAME, [made.folder], vm=True, say=lambda _: None)
        deployed = made.site("deploy")
        assert deployed.code == 0, str(deployed)
        made.on(MASTER, f"{KUBECTL} -n kube-public scale deployment nginx-dp --replicas=2")
        made.on(MASTER, f"{KUBECTL} -n kube-public rollout status deployment nginx-dp --timeout=80s")
        made.on(EDGE, f"ip route add 192.168.0.0/16 via {ADDRESS}")
        yield made
    finally:
        commands.down(NAME, purge=True, say=lambda _: None)
    assert traces(NAME) == []
    assert not Lab.named(NAME).directory.exists()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without root there is no lab: said, not silent."""
    if os.geteuid() != 0:
        for item in items:
            if "tests/vm" in str(item.path):
                item.add_marker(pytest.mark.skip(reason="the lab needs root: run `sudo make test-vm`"))
