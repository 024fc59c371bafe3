"""Which Debian a host of the lab boots, and where it fetches packages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import facts
from lab.state import Lab
from lab.topology import topology
from provision.errors import InputError
from provision.inventory import Inventory
from tests.unit.conftest import Write

HOSTS = "all: {hosts: {a: {ansible_host: 10.4.7.11}, b: {ansible_host: 10.4.7.12, lab_suite: trixie}}}\n"


def test_a_host_of_another_release_fetches_packages_of_its_own(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    wanted = topology(Inventory.load([write({"hosts.yml": HOSTS}) / "hosts.yml"]))
    assert [host.suite for host in wanted.booted] == ["bookworm", "trixie"]
    lab = Lab.named("t-suites")
    lab.directory.mkdir(parents=True)
    facts.write(lab, wanted, {"apt_repository": {"url": "http://10.4.7.200/apt"}})
    hosts = yaml.safe_load(lab.inventory.read_text())["all"]["hosts"]
    assert hosts == {
        "b": {
            "apt_repository": {
                "url": f"http://{wanted.ops.address}/apt-trixie",
                "line": f"deb [trusted=yes] http://{wanted.ops.address}/apt-trixie ./",
            }
        }
    }


@pytest.mark.parametrize(
    ("written", "said"),
    [("sid", "no Debian called 'sid'.*one of bookworm, trixie"), ("[trixie]", "no Debian called")],
)
def test_a_release_that_the_lab_has_not_is_refused(write: Write, written: str, said: str) -> None:
    folder = write({"hosts.yml": f"all: {{hosts: {{a: {{ansible_host: 10.4.7.11, lab_suite: {written}}}}}}}\n"})
    with pytest.raises(InputError, match=said):
        topology(Inventory.load([folder / "hosts.yml"]))


def test_the_virtual_machine_is_of_one_release(write: Write) -> None:
    text = "proxy_only: {hosts: {a: {ansible_host: 10.4.7.23, lab_suite: trixie}}}\n"
    with pytest.raises(InputError, match="virtual machine is bookworm, not trixie"):
        topology(Inventory.load([write({"hosts.yml": text}) / "hosts.yml"]))
