"""The hosts of the embedded lab: bare, reachable, durable. Needs root; makes a lab of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import commands, lifecycle, network
from lab.state import Lab
from provision.errors import FailedError, InputError
from tests.lab.hosts import HOSTS, NAME, SECONDS, eventually, on, quiet, ssh, up

pytestmark = pytest.mark.usefixtures("purged")


def test_a_bare_host_admits_its_operator_by_the_labs_keys(running_lab: Lab) -> None:
    for name in HOSTS:
        done = ssh(name, "hostname; systemctl is-system-running --wait; command -v python3 nginx containerd")
        assert done.stdout.split() == [name, "running"]


def test_sshd_logs_each_session_where_a_test_can_count_them(running_lab: Lab) -> None:
    def sessions() -> int:
        return on("hdss7-21", "journalctl --unit ssh --output cat").stdout.count("Starting session: command")

    before = sessions()
    ssh("hdss7-21", "true")
    ssh("hdss7-21", "true")
    assert eventually(lambda: sessions() == before + 2)


def test_the_controller_dials_hosts_from_its_own_network(running_lab: Lab) -> None:
    home = os.readlink("/proc/thread-self/ns/net")
    for at in ("10.4.7.21", "hdss7-21"):
        with network.dial(at, 22, SECONDS, NAME) as connection:
            assert connection.recv(4) == b"SSH-"
    assert os.readlink("/proc/thread-self/ns/net") == home
    with pytest.raises(ConnectionRefusedError):
        network.dial("10.4.7.21", 9, SECONDS, NAME)


def test_nothing_of_the_lab_is_in_the_machines_own_network(running_lab: Lab) -> None:
    shown = subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout
    shown += subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert "10.4.7." not in shown


def test_a_host_has_no_other_way_out(running_lab: Lab) -> None:
    done = on("hdss7-21", "curl --silent --max-time 5 http://192.0.2.1/")
    assert done.returncode in (7, 28)  # refused or unreachable at once, or nothing came back


def test_the_ops_host_serves_what_hosts_may_fetch(running_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "greeting").write_text("from the ops host")
    running_lab.served.unlink(missing_ok=True)
    running_lab.served.symlink_to(tmp_path)
    try:
        assert on("hdss7-22", "curl --silent --fail http://10.4.7.200/greeting").stdout == "from the ops host"
    finally:
        running_lab.served.unlink()


def test_a_command_on_the_ops_host_uses_the_labs_resolver_alone(running_lab: Lab) -> None:
    before = Path("/etc/resolv.conf").read_text()
    assert "nameserver 10.4.7.11\n" in on("hdss7-200", "cat /etc/resolv.conf").stdout
    assert "10.4.7.200" in on("hdss7-200", "ip -brief address").stdout
    assert Path("/etc/resolv.conf").read_text() == before


@pytest.mark.parametrize("name", ["hdss7-21", "hdss7-200"])
def test_exec_returns_the_commands_own_code(running_lab: Lab, name: str) -> None:
    assert commands.execute(NAME, name, ["sh", "-c", "exit 7"]) == 7


def test_an_unknown_host_is_bad_input_that_lists_those_there_are(running_lab: Lab) -> None:
    with pytest.raises(InputError, match="hdss7-11, hdss7-21"):
        commands.execute(NAME, "hdss7-99", ["true"])


def test_up_when_up_says_so(running_lab: Lab) -> None:
    before = running_lab.daemon_process()
    up()
    assert running_lab.daemon_process() == before


def test_hosts_outlive_the_command_that_started_them(running_lab: Lab) -> None:
    script = f"from lab.commands import up; up({NAME!r}, wait_artifacts=False)"
    commands.down(NAME, say=quiet)
    subprocess.run([sys.executable, "-c", script], cwd=commands.ROOT, check=True, stdout=subprocess.DEVNULL)
    assert all(of.on for of in commands.status(NAME, say=quiet).values())


@pytest.mark.parametrize("hard", [False, True], ids=["in order", "power cut"])
def test_a_rebooted_host_keeps_its_disk_and_loses_what_was_in_memory(running_lab: Lab, hard: bool) -> None:
    on("hdss7-22", "echo kept >/root/kept; echo kept >/var/lib/containerd/kept; touch /run/lost")
    boots = commands.status(NAME, say=quiet)["hdss7-22"].boots
    commands.reboot(NAME, "hdss7-22", hard=hard, say=quiet)
    done = ssh("hdss7-22", "cat /root/kept /var/lib/containerd/kept; ls /run/lost")
    assert done.stdout.split() == ["kept", "kept"]
    assert commands.status(NAME, say=quiet)["hdss7-22"].boots == boots + 1


def test_a_host_that_reboots_by_itself_comes_back(running_lab: Lab) -> None:
    boots = commands.status(NAME, say=quiet)["hdss7-21"].boots
    ssh("hdss7-21", "systemctl reboot")
    assert eventually(lambda: commands.status(NAME, say=quiet)["hdss7-21"].boots == boots + 1)
    up()
    assert ssh("hdss7-21", "hostname").stdout == "hdss7-21\n"


def test_a_host_that_powers_itself_off_stays_off_until_up(running_lab: Lab) -> None:
    ssh("hdss7-21", "systemctl poweroff")
    assert eventually(lambda: not commands.status(NAME, say=quiet)["hdss7-21"].on)
    assert commands.status(NAME, say=quiet)["hdss7-21"].ended == "powered off"
    with pytest.raises(FailedError, match=r"lab\.up"):
        commands.execute(NAME, "hdss7-21", ["true"])
    up()
    assert ssh("hdss7-21", "hostname").stdout == "hdss7-21\n"


def test_a_host_without_power_is_down_for_whoever_dials(running_lab: Lab) -> None:
    commands.power(NAME, "hdss7-22", on=False)
    with pytest.raises(OSError, match=r"unreachable|timed out|route"):
        network.dial("10.4.7.22", 22, 5.0, NAME)
    commands.power(NAME, "hdss7-22", on=True)
    assert ssh("hdss7-22", "hostname").stdout == "hdss7-22\n"


def test_a_host_that_does_not_come_up_says_why(running_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    on("hdss7-22", "mv /etc/ssh/ssh_host_ed25519_key /root/")
    monkeypatch.setattr(lifecycle, "BOOT_SECONDS", 15.0)
    try:
        with pytest.raises(FailedError, match=r"hdss7-22: the host did not come up(?s:.)*Failed to start ssh"):
            commands.reboot(NAME, "hdss7-22", say=quiet)
    finally:
        on("hdss7-22", "mv /root/ssh_host_ed25519_key /etc/ssh/; systemctl reset-failed ssh; systemctl start ssh")
