"""The embedded lab's hosts: bare, reachable, durable, and gone without a trace. Needs root; makes labs of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest

from lab import commands, container, lifecycle, network, state
from lab.process import Process
from lab.state import Lab
from provision.errors import FailedError, InputError, UnreachableError

NAME, OTHER, SUDO = "t-lab", "t-lab-other", "t-lab-sudo"
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
SECONDS = 20.0

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root, and this user is not")


def quiet(text: str) -> None:
    """A `say` that says nothing."""


def up(name: str = NAME, say: Callable[[str], None] = quiet) -> None:
    commands.up(name, wait_artifacts=False, say=say)


def on(host_name: str, script: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """Run a script on a host, past sshd."""
    argv = commands.command(name, host_name, ["sh", "-c", script])
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def ssh(host_name: str, script: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """Run a script on a host as its operator would: this machine's ssh, strict about host keys."""
    argv = commands.ssh_command(name, host_name, [script])
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def traces(name: str) -> list[str]:
    """Everything of a lab outside its folder: namespaces, control groups, mounts (of any process), processes."""
    folder = f"{Lab.named(name).directory}/"
    found = [str(path) for path in network.NAMESPACES.glob(f"hdss7.{name}.*")]
    found += [path for path, _, _ in os.walk("/sys/fs/cgroup") if f"/hdss7.{name}/" in f"{path}/"]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_text().replace("\0", " ")
            if folder in arguments or f"lab.daemon {name} " in arguments:
                found.append(f"process {process.name}: {arguments[:100]}")
            if folder in (process / "mounts").read_text():
                found.append(f"mount in process {process.name}: {arguments[:100]}")
        except OSError:  # it ended while it was looked at
            continue
    return found


@pytest.fixture(scope="module", autouse=True)
def purged() -> Iterator[None]:
    """No lab of these tests before them, and none after."""
    for name in (NAME, OTHER, SUDO):
        commands.down(name, purge=True, say=quiet)
    yield
    for name in (NAME, OTHER, SUDO):
        commands.down(name, purge=True, say=quiet)
        assert traces(name) == []
        assert not Lab.named(name).directory.exists()


@pytest.fixture
def running() -> Lab:
    """The lab, up: as the test before left it, or put right."""
    up()
    return Lab.named(NAME)


def test_a_bare_host_admits_its_operator_by_the_labs_keys(running: Lab) -> None:
    for name in HOSTS:
        done = ssh(name, "hostname; systemctl is-system-running --wait; command -v python3 nginx containerd")
        assert done.stdout.split() == [name, "running"]


def test_sshd_logs_each_session_where_a_test_can_count_them(running: Lab) -> None:
    def sessions() -> int:
        return on("hdss7-21", "journalctl --unit ssh --output cat").stdout.count("Starting session: command")

    before = sessions()
    ssh("hdss7-21", "true")
    ssh("hdss7-21", "true")
    assert eventually(lambda: sessions() == before + 2)


def test_the_controller_dials_hosts_from_its_own_network(running: Lab) -> None:
    home = os.readlink("/proc/thread-self/ns/net")
    for at in ("10.4.7.21", "hdss7-21"):
        with network.dial(at, 22, SECONDS, NAME) as connection:
            assert connection.recv(4) == b"SSH-"
    assert os.readlink("/proc/thread-self/ns/net") == home
    with pytest.raises(ConnectionRefusedError):
        network.dial("10.4.7.21", 9, SECONDS, NAME)


def test_nothing_of_the_lab_is_in_the_machines_own_network(running: Lab) -> None:
    shown = subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout
    shown += subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert "10.4.7." not in shown


def test_a_host_has_no_other_way_out(running: Lab) -> None:
    done = on("hdss7-21", "curl --silent --max-time 5 http://192.0.2.1/")
    assert done.returncode in (7, 28)  # refused or unreachable at once, or nothing came back


def test_the_ops_host_serves_what_hosts_may_fetch(running: Lab, tmp_path: Path) -> None:
    (tmp_path / "greeting").write_text("from the ops host")
    running.served.unlink(missing_ok=True)
    running.served.symlink_to(tmp_path)
    try:
        assert on("hdss7-22", "curl --silent --fail http://10.4.7.200/greeting").stdout == "from the ops host"
    finally:
        running.served.unlink()


def test_a_command_on_the_ops_host_uses_the_labs_resolver_alone(running: Lab) -> None:
    before = Path("/etc/resolv.conf").read_text()
    assert "nameserver 10.4.7.11\n" in on("hdss7-200", "cat /etc/resolv.conf").stdout
    assert "10.4.7.200" in on("hdss7-200", "ip -brief address").stdout
    assert Path("/etc/resolv.conf").read_text() == before


@pytest.mark.parametrize("name", ["hdss7-21", "hdss7-200"])
def test_exec_returns_the_commands_own_code(running: Lab, name: str) -> None:
    assert commands.execute(NAME, name, ["sh", "-c", "exit 7"]) == 7


def test_an_unknown_host_is_bad_input_that_lists_those_there_are(running: Lab) -> None:
    with pytest.raises(InputError, match="hdss7-11, hdss7-21"):
        commands.execute(NAME, "hdss7-99", ["true"])


def test_up_when_up_says_so(running: Lab) -> None:
    before = running.daemon_process()
    up()
    assert running.daemon_process() == before


def test_hosts_outlive_the_command_that_started_them(running: Lab) -> None:
    script = f"from lab.commands import up; up({NAME!r}, wait_artifacts=False)"
    commands.down(NAME, say=quiet)
    subprocess.run([sys.executable, "-c", script], cwd=commands.ROOT, check=True, stdout=subprocess.DEVNULL)
    assert all(of.on for of in commands.status(NAME, say=quiet).values())


@pytest.mark.parametrize("hard", [False, True], ids=["in order", "power cut"])
def test_a_rebooted_host_keeps_its_disk_and_loses_what_was_in_memory(running: Lab, hard: bool) -> None:
    on("hdss7-22", "echo kept >/root/kept; echo kept >/var/lib/containerd/kept; touch /run/lost")
    boots = commands.status(NAME, say=quiet)["hdss7-22"].boots
    commands.reboot(NAME, "hdss7-22", hard=hard, say=quiet)
    done = ssh("hdss7-22", "cat /root/kept /var/lib/containerd/kept; ls /run/lost")
    assert done.stdout.split() == ["kept", "kept"]
    assert commands.status(NAME, say=quiet)["hdss7-22"].boots == boots + 1


def test_a_host_that_reboots_by_itself_comes_back(running: Lab) -> None:
    boots = commands.status(NAME, say=quiet)["hdss7-21"].boots
    ssh("hdss7-21", "systemctl reboot")
    assert eventually(lambda: commands.status(NAME, say=quiet)["hdss7-21"].boots == boots + 1)
    up()
    assert ssh("hdss7-21", "hostname").stdout == "hdss7-21\n"


def test_a_host_that_powers_itself_off_stays_off_until_up(running: Lab) -> None:
    ssh("hdss7-21", "systemctl poweroff")
    assert eventually(lambda: not commands.status(NAME, say=quiet)["hdss7-21"].on)
    assert commands.status(NAME, say=quiet)["hdss7-21"].ended == "powered off"
    with pytest.raises(FailedError, match=r"lab\.up"):
        commands.execute(NAME, "hdss7-21", ["true"])
    up()
    assert ssh("hdss7-21", "hostname").stdout == "hdss7-21\n"


def test_a_host_without_power_is_down_for_whoever_dials(running: Lab) -> None:
    commands.power(NAME, "hdss7-22", on=False)
    with pytest.raises(OSError, match=r"unreachable|timed out|route"):
        network.dial("10.4.7.22", 22, 5.0, NAME)
    commands.power(NAME, "hdss7-22", on=True)
    assert ssh("hdss7-22", "hostname").stdout == "hdss7-22\n"


def test_a_host_that_does_not_come_up_says_why(running: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    on("hdss7-22", "mv /etc/ssh/ssh_host_ed25519_key /root/")
    monkeypatch.setattr(lifecycle, "BOOT_SECONDS", 15.0)
    try:
        with pytest.raises(FailedError, match=r"hdss7-22: the host did not come up(?s:.)*Failed to start ssh"):
            commands.reboot(NAME, "hdss7-22", say=quiet)
    finally:
        on("hdss7-22", "mv /root/ssh_host_ed25519_key /etc/ssh/; systemctl reset-failed ssh; systemctl start ssh")


def test_down_leaves_nothing_and_keeps_disks(running: Lab) -> None:
    on("hdss7-11", "echo kept >/root/kept")
    assert traces(NAME) != []
    commands.down(NAME, say=quiet)
    assert traces(NAME) == []
    up()
    assert on("hdss7-11", "cat /root/kept").stdout == "kept\n"


def test_down_when_down_says_so_and_nothing_else_works_then() -> None:
    commands.down(NAME, say=quiet)
    said: list[str] = []
    commands.down(NAME, say=said.append)
    assert said == [f"lab {NAME} is down already"]
    with pytest.raises(UnreachableError, match=r"invoke lab\.up --lab t-lab"):
        network.dial("10.4.7.21", 22, 1.0, NAME)
    with pytest.raises(FailedError, match=r"invoke lab\.up --lab t-lab"):
        commands.execute(NAME, "hdss7-21", ["true"])


@pytest.mark.parametrize("milliseconds", range(100, 900, 160))
@pytest.mark.parametrize("then", [up, lambda: commands.down(NAME, say=quiet)], ids=["up", "down"])
def test_a_killed_up_is_put_right_by_the_next(milliseconds: int, then: Callable[[], None]) -> None:
    commands.down(NAME, purge=True, say=quiet)
    script = f"from lab.commands import up; up({NAME!r}, wait_artifacts=False)"
    with subprocess.Popen([sys.executable, "-c", script], cwd=commands.ROOT, stdout=subprocess.DEVNULL) as process:
        time.sleep(milliseconds / 1000)  # the moment of the cut is what varies here
        process.kill()
    then()
    if then is up:
        assert all(of.on for of in commands.status(NAME, say=quiet).values())
        commands.down(NAME, say=quiet)
    assert traces(NAME) == []


@pytest.mark.parametrize("then", [up, lambda: commands.down(NAME, say=quiet)], ids=["up", "down"])
def test_the_next_command_recovers_from_a_killed_daemon(running: Lab, then: Callable[[], None]) -> None:
    daemon = running.daemon_process()
    assert daemon is not None
    assert daemon.kill(SECONDS)
    assert commands.status(NAME, say=quiet) == {}
    then()
    if then is up:
        assert ssh("hdss7-21", "hostname").stdout == "hdss7-21\n"
        commands.down(NAME, say=quiet)
    assert traces(NAME) == []


def test_a_machine_that_rebooted_is_put_right(running: Lab) -> None:
    """What is left then: records of another boot, and files where the namespaces were."""
    daemon = running.daemon_process()
    assert daemon is not None
    runs = {path: state.read(path, container.Run) for path in running.directory.glob("hosts/*/run.json")}
    socket_left = running.directory / "left.sock"
    running.socket.rename(socket_left)  # a crash does not remove it
    daemon.kill(SECONDS)
    lifecycle.sweep(running)
    socket_left.rename(running.socket)
    state.write(running.daemon, msgspec.structs.replace(daemon, pid=os.getpid(), boot="before"))
    for path, run in runs.items():
        assert run is not None
        assert run.process is not None
        earlier = Process(os.getpid(), run.process.started, "before")  # the pid is someone else's by now
        state.write(path, container.Run([Path(f"{group}.gone") for group in run.cgroups], earlier))
    network.NAMESPACES.mkdir(exist_ok=True)
    for name in (*HOSTS, "hdss7-200", network.SWITCH):
        network.namespace(running, name).touch()
    up()
    assert ssh("hdss7-11", "hostname").stdout == "hdss7-11\n"
    commands.down(NAME, say=quiet)
    assert traces(NAME) == []


def test_labs_live_side_by_side(running: Lab) -> None:
    up(OTHER)
    on("hdss7-21", "echo other >/root/whose", OTHER)
    on("hdss7-21", "echo first >/root/whose")
    commands.down(OTHER, purge=True, say=quiet)
    assert traces(OTHER) == []
    assert ssh("hdss7-21", "cat /root/whose").stdout == "first\n"


def test_a_namespace_of_someone_else_is_never_touched() -> None:
    commands.down(NAME, say=quiet)
    foreign = network.namespace(Lab.named(NAME), network.SWITCH)
    subprocess.run(["ip", "netns", "add", foreign.name], check=True)
    try:
        subprocess.run(["ip", "-n", foreign.name, "link", "set", "lo", "alias", "hdss7:another"], check=True)
        with pytest.raises(FailedError, match="belongs to another lab of this name"):
            up()
        commands.down(NAME, say=quiet)
        assert foreign.exists()
    finally:
        subprocess.run(["ip", "netns", "del", foreign.name], check=True)


def test_another_set_of_hosts_is_refused_while_the_lab_is_up(running: Lab, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("all: {hosts: {lone: {ansible_host: 10.4.7.30}}}")
    with pytest.raises(InputError, match="runs another set of hosts"):
        commands.up(NAME, [tmp_path], wait_artifacts=False, say=quiet)


def test_a_disk_whose_tree_left_the_cache_is_refused_with_advice(running: Lab) -> None:
    commands.down(NAME, say=quiet)
    record = running.host("hdss7-21") / "disk.json"
    kept = record.read_bytes()
    state.write(record, {"tree": "/nowhere"})
    try:
        with pytest.raises(InputError, match=r"lab\.down --purge"):
            up()
    finally:
        record.write_bytes(kept)


SUDO_SITE = """
all:
  vars:
    ansible_user: ops
    ansible_port: 2222
    ansible_become: true
    ansible_become_password: lab-secret
  children:
    edge: {hosts: {front: {ansible_host: 10.9.1.5}}}
    nodes:
      vars: {ansible_ssh_common_args: "-J ops@front:2222"}
      hosts: {n1: {ansible_host: 10.9.1.11}}
"""


def test_a_site_with_a_sudo_user_another_port_and_a_jump_host(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(SUDO_SITE)
    commands.up(SUDO, [tmp_path], wait_artifacts=False, say=quiet)
    assert ssh("n1", "id --user --name; echo lab-secret | sudo --stdin id --user", SUDO).stdout == "ops\n0\n"
    assert ssh("n1", "sudo --non-interactive true", SUDO).returncode == 1
    with pytest.raises(TimeoutError):
        network.dial("n1", 2222, 1.0, SUDO)  # only the jump host gets through
    commands.down(SUDO, purge=True, say=quiet)
    assert traces(SUDO) == []


class Echo(BaseHTTPRequestHandler):
    """Answers with the name that it was asked for."""

    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def edge(running: Lab) -> Iterator[None]:
    """Something that answers on port 80 of the edge, where nginx will be."""
    from http.server import ThreadingHTTPServer

    listener = network.socket_inside(network.namespace(running, "hdss7-11"))
    listener.bind(("0.0.0.0", 80))
    listener.listen()
    server = ThreadingHTTPServer(listener.getsockname(), Echo, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def test_open_shows_the_site_to_this_machines_own_browser(edge: None) -> None:
    port, proxy = free_port(), free_port()
    script = f"""
from lab.port_forward import open_site
open_site({NAME!r}, {port}, {proxy}, say=lambda line: print(line, flush=True))
"""
    local = ("--connect-to", f"::127.0.0.1:{port}")  # as browsers lead *.localhost
    through = ("--proxy", f"http://127.0.0.1:{proxy}")
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, cwd=commands.ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = list(iter(process.stdout.readline, f"HTTP proxy for *.od.com: 127.0.0.1:{proxy}\n"))
            assert any(f"http://demo.localhost:{port}/" in line and "demo.od.com" in line for line in said)
            assert curl(f"http://127.0.0.1:{port}/dashboard/") == "traefik.od.com /dashboard/"
            assert curl(*local, f"http://demo.localhost:{port}/a?b=c") == "demo.od.com /a?b=c"
            assert curl(*local, f"http://traefik.localhost:{port}/dashboard/") == "traefik.od.com /dashboard/"
            assert curl(*through, "http://demo.od.com/header?key=Host") == "demo.od.com /header?key=Host"
            assert curl(*through, "--proxytunnel", "http://demo.od.com/") == "demo.od.com /"
            assert "example.com is no name of the lab" in curl(*through, "http://example.com/")
            assert "did not answer" in curl(*through, "http://10.4.7.21:81/")
        finally:
            process.terminate()


def curl(*options: str) -> str:
    argv = ["curl", "--silent", "--max-time", "5", *options]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def test_the_file_server_names_no_folder_beyond_its_own(running: Lab, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "www").mkdir()
    running.served.unlink(missing_ok=True)
    running.served.symlink_to(tmp_path / "www")
    done = on("hdss7-22", "curl --silent --path-as-is --write-out '%{http_code}' http://10.4.7.200/../secret")
    running.served.unlink()
    assert done.stdout.endswith("404")
