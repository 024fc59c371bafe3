"""What a machine must have before a lab is begun."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lab import preflight
from lab.preflight import GIB, Machine
from provision.errors import Exit, InputError

GOOD = Machine(
    root=True, missing=(), sbin=True, disk=50 * GIB, memory=16 * GIB, watchers=100, trial="", folder=Path("/state")
)


def but(**changed: object) -> Machine:
    return msgspec.structs.replace(GOOD, **changed)


def test_a_good_machine_passes() -> None:
    preflight.check(GOOD, hosts=3)


@pytest.mark.parametrize(
    ("machine", "said", "advice"),
    [
        (but(root=False), "needs root", "sudo"),
        (but(missing=("iproute2", "mmdebstrap")), "iproute2 mmdebstrap", "apt-get install iproute2 mmdebstrap"),
        (but(sbin=False), "PATH has no /usr/sbin", "export PATH=$PATH:/usr/sbin"),
        (but(trial="unshare failed: Operation not permitted"), "Operation not permitted", "--privileged"),
        (but(disk=3 * GIB), "3.0 GiB are free at /state", "XDG_STATE_HOME"),
        (but(memory=GIB), "1.0 GiB are available", "End something else"),
        (but(watchers=47), "47 are left", "sysctl -w fs.inotify.max_user_instances=1024"),
        (but(root=False, disk=0, memory=0), "needs root", "sudo"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(machine: Machine, said: str, advice: str) -> None:
    with pytest.raises(InputError) as caught:
        preflight.check(machine, hosts=3)
    assert said in str(caught.value)
    assert advice in caught.value.explanation.do
    assert caught.value.exit == Exit.BAD_INPUT
    assert "\n" not in str(caught.value)


def test_bare_hosts_need_fewer_watchers_than_a_cluster() -> None:
    preflight.check(but(watchers=12), hosts=3, bare=True)
    with pytest.raises(InputError, match="needs 48 inotify instances"):
        preflight.check(but(watchers=12), hosts=3)


def test_a_virtual_machine_needs_memory_of_its_own_and_a_cable() -> None:
    preflight.check(but(memory=4.5 * GIB), hosts=3, machines=1)
    with pytest.raises(InputError, match=r"needs 4\.25 GiB of memory"):
        preflight.check(but(memory=4 * GIB), hosts=3, machines=1)
    preflight.check(but(memory=4 * GIB), hosts=3)
    with pytest.raises(InputError, match="no /dev/net/tun"):
        preflight.check(but(tun=False), hosts=3, machines=1)


def test_qemu_is_wanted_only_for_a_virtual_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda command, path="": None)
    assert set(preflight.packages(vm=True)) - set(preflight.packages()) == {"qemu-system-x86", "e2fsprogs"}


def test_missing_packages_are_named_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda command, path="": None)
    packages = preflight.packages()
    assert packages == sorted(set(packages))
    assert {"iproute2", "systemd-container", "mmdebstrap", "util-linux"} <= set(packages)


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    machine = preflight.look(tmp_path / "labs" / "mine")
    assert machine.memory > 0
    assert machine.disk > 0
    assert machine.watchers < 1 << 20
    assert not (tmp_path / "labs" / "mine").exists()
