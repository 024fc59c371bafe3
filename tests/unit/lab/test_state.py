"""What a lab remembers between two commands, and what it believes of it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
import yaml

from lab import facts, keys, state
from lab.process import Process
from lab.state import Lab
from lab.topology import HostSpec, Topology, arranged, topology
from provision.errors import FailedError, InputError
from provision.inventory import Inventory

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = Lab.named("unit")
    made.directory.mkdir(parents=True)
    return made


@pytest.mark.parametrize("name", ["", "a/b", "..", "Main", "-x", "a.b", "x" * 32, "a\n"])
def test_a_name_that_could_be_a_path_or_another_labs_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        Lab.named(name)


def test_two_state_folders_mark_their_namespaces_differently(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(lab.directory))
    assert Lab.named("unit").mark != lab.mark


def test_a_lab_that_never_was_says_how_to_start_it(lab: Lab) -> None:
    with pytest.raises(FailedError, match=r"invoke lab\.up --lab unit"):
        lab.topology()


def test_a_record_comes_back_as_it_was(lab: Lab) -> None:
    made = arranged((HostSpec("a", "10.9.1.5", user="ops", password="p"),))
    state.write(lab.record, made)
    assert lab.topology() == made


def test_a_daemon_of_an_earlier_version_is_found(lab: Lab) -> None:
    (lab.directory / "owner.sock").touch()
    state.write(lab.directory / "owner.json", Process.of(os.getpid()))
    assert lab.daemon_process() == Process.of(os.getpid())
    assert lab.socket.name == "owner.sock"
    lab.daemon.unlink()
    lab.socket.unlink()
    assert (lab.daemon_process(), lab.daemon.name, lab.socket.name) == (None, "daemon.json", "daemon.sock")


@pytest.mark.parametrize("remains", [b"", b'{"hosts": [', b"\0" * 40])
def test_a_record_cut_short_by_a_crash_counts_as_none(lab: Lab, remains: bytes) -> None:
    lab.record.write_bytes(remains)
    assert state.read(lab.record, Topology) is None


def test_a_process_is_known_by_more_than_its_number() -> None:
    mine = Process.of(os.getpid())
    assert mine.alive()
    assert not msgspec.structs.replace(mine, started=mine.started - 1).alive()  # another had the pid before
    assert not msgspec.structs.replace(mine, boot="another").alive()  # the machine was rebooted


def test_a_stranger_with_the_same_pid_is_never_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        stranger = msgspec.structs.replace(Process.of(child.pid), started=1)
        assert stranger.kill(seconds=5.0)
        assert child.poll() is None
        assert Process.of(child.pid).kill(seconds=5.0)


def test_a_zombie_has_ended() -> None:
    child = subprocess.Popen(["sleep", "60"])
    process = Process.of(child.pid)
    assert process.kill(seconds=5.0)
    assert not process.alive()
    child.wait()


def test_a_lock_survives_its_own_removal_by_a_purge(lab: Lab) -> None:
    entered = threading.Event()

    def second() -> None:
        with Lab.named("unit").locked():
            entered.set()

    with lab.locked():
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.1)
        lab.purge()
    waiting.join(5.0)
    assert entered.is_set()
    assert lab.directory.with_suffix(".lock").exists()


def test_keys_are_private_and_made_once(lab: Lab) -> None:
    hosts = (HostSpec("a", "10.9.1.5"), HostSpec("b", "10.9.1.6", port=2222))
    keys.ensure_all(lab.keys, hosts)
    first = {path.name: path.read_bytes() for path in lab.keys.iterdir()}
    keys.ensure_all(lab.keys, hosts)
    assert first == {path.name: path.read_bytes() for path in lab.keys.iterdir()}
    for path in (keys.client_key(lab.keys), *(keys.host_key(lab.keys, host) for host in hosts)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_known_hosts_names_each_host_by_name_and_address_and_port(lab: Lab) -> None:
    keys.ensure_all(lab.keys, (HostSpec("a", "10.9.1.5"), HostSpec("b", "10.9.1.6", port=2222)))
    lines = keys.known_hosts(lab.keys).read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["a,10.9.1.5", "ssh-ed25519"],
        ["[b]:2222,[10.9.1.6]:2222", "ssh-ed25519"],
    ]


def test_what_hosts_may_fetch_is_named_at_this_sites_ops_host(lab: Lab) -> None:
    made = arranged((HostSpec("a", "10.9.1.5"),))
    facts.write(lab, made, {"binaries": {"kubelet": {"url": "http://10.4.7.200/bin/kubelet", "sha256": "0"}}})
    written = yaml.safe_load(lab.inventory.read_text())["all"]["vars"]
    assert written["ops_url"] == "http://10.9.1.200"
    assert written["binaries"]["kubelet"]["url"] == "http://10.9.1.200/bin/kubelet"
    assert written["hdss7_known_hosts"] == str(keys.known_hosts(lab.keys))
    assert written["hdss7_dial"] == "lab.network:dial unit"


def test_a_virtual_machine_is_a_host_of_its_own_lab_only(lab: Lab) -> None:
    site = ROOT / "inventory" / "lab"
    facts.write(lab, topology(Inventory.load([site, ROOT / "inventory" / "lab-vm"])), {})
    assert "hdss7-23" in Inventory.load([site, lab.inventory]).groups["proxy_only"]
    facts.write(lab, topology(Inventory.load([site])), {})
    assert Inventory.load([site, lab.inventory]).groups["proxy_only"] == ()
