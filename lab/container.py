"""One host's power: an init of its own in namespaces and control groups of its own, on its own disk.

Or a virtual machine (lab/vm.py): then its one process is qemu.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import msgspec

from lab import cgroups, disk, network, vm
from lab.process import Process, children
from lab.scripts import SCRIPTS, mounted
from lab.state import Lab, read, write
from lab.topology import HostSpec, Topology
from provision.errors import FailedError
from provision.usage import usage

REBOOTED = 133  # how systemd-nspawn --keep-unit asks whoever started it for another start (its EXIT_FORCE_RESTART)
SECONDS_TO_DIE = 10.0
PAUSE = 0.02
CONSOLE_BYTES = 1 << 20
# Network sysctls are the host's own; any other would be the machine's. Its control groups look like whole ones.
NSPAWN_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
    "SYSTEMD_NSPAWN_USE_CGNS": "1",
}
ENTER = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
INSIDE_ENVIRONMENT = ("HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")


class Run(msgspec.Struct, frozen=True):
    """What a running host consists of. process: systemd-nspawn, or qemu. cgroups: the directories made for it."""

    cgroups: list[Path]
    process: Process | None = None


def running(lab: Lab, host: HostSpec) -> Run | None:
    """The host's record, if its process runs."""
    run = read(_record(lab, host), Run)
    return run if run and run.process and run.process.alive() else None


def power_on(lab: Lab, topology: Topology, host: HostSpec) -> subprocess.Popen[bytes]:
    """Start a host that is off: cable it, give it control groups, boot it. Returns its process.

    Everything is recorded before it is made, so that `sweep` can remove it by the record.
    """
    tree = read(lab.host(host.name) / "disk.json", disk.Disk)
    if tree is None:
        raise FailedError("the host has no disk", host=host.name, do=f"Make one: {usage(f'lab.up{lab.option}')}")
    path = network.plug(lab, topology, host)
    directories = cgroups.directories(lab.name, host.name)
    write(_record(lab, host), Run(directories))
    cgroups.make(directories)
    console = lab.host(host.name) / "console.log"
    if console.exists() and console.stat().st_size > CONSOLE_BYTES:
        console.unlink()
    folder = disk.folder(lab, host)
    argv = [
        *cgroups.scope(lab.name, host.name),
        *SCRIPTS.argv("start", *map(str, directories), "--"),
        *(vm.boot(lab, host, tree.tree, folder) if host.virtual else _nspawn(tree.tree, folder, host, path)),
    ]
    with console.open("ab") as output:
        process = subprocess.Popen(
            argv,
            env=NSPAWN_ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    write(_record(lab, host), Run(directories, Process.of(process.pid)))
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(b"go\n")
    return process


def power_off(lab: Lab, host: HostSpec) -> None:
    """Cut a host's power and remove all that it consisted of, except its disk. Does nothing for a host that is off.

    Raises FailedError when the kernel keeps a process or control group of it.
    """
    run = read(_record(lab, host), Run)
    if run is not None:
        if run.process and run.process.alive():
            _kill(run.process)
        cgroups.end_scope(lab.name, host.name)
        left = cgroups.remove(run.cgroups, SECONDS_TO_DIE)
        if left:
            raise FailedError(
                "the host's control groups could not be removed",
                host=host.name,
                found=", ".join(map(str, left)),
            )
        _record(lab, host).unlink()
    network.unplug(lab, host)


def shut_down(lab: Lab, host: HostSpec, verb: str) -> None:
    """Ask the host's own init for an orderly `reboot` or `poweroff`; returns at once."""
    done = subprocess.run(command(lab, host, ["systemctl", verb]), capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedError(f"systemctl {verb} was refused", host=host.name, found=done.stderr.strip())


def admits(lab: Lab, host: HostSpec) -> bool:
    """Whether anyone but root may log in: not while systemd boots the host or shuts it down (/run/nologin)."""
    run = running(lab, host)
    if host.virtual:
        return run is not None  # root logs in there at any time
    leader = _leader(run.process.pid) if run and run.process else None
    return leader is not None and not Path(f"/proc/{leader}/root/run/nologin").exists()


def command(lab: Lab, host: HostSpec, argv: list[str]) -> list[str]:
    """The command line that runs `argv` on a booted host, as root, without sshd (on a virtual machine: with it).

    Raises FailedError when the host is off.
    """
    run = running(lab, host)
    if run and host.virtual:
        return vm.command(lab, host, argv)
    leader = _leader(run.process.pid) if run and run.process else None
    if leader is None:
        raise FailedError("the host is off", host=host.name, do=f"Start it: {usage(f'lab.up{lab.option}')}")
    terminal = f"TERM={os.environ.get('TERM', 'dumb')}"
    return [
        *("nsenter", "--target", str(leader), *ENTER, "--"),
        *("env", "--ignore-environment", terminal, *INSIDE_ENVIRONMENT),
        *argv,
    ]


def rebooted(lab: Lab, host: HostSpec, code: int) -> bool:
    """Whether the host's process ended, with `code`, because the host wants to boot again."""
    return vm.rebooted(lab, host, code) if host.virtual else code == REBOOTED


def last_words(lab: Lab, host: HostSpec, count: int = 8) -> str:
    """Why a host may not have come up: its console, and the warnings in its own journal, on its disk."""
    console = lab.host(host.name) / "console.log"
    lines = console.read_text(errors="replace").splitlines()[-count:] if console.exists() else []
    if host.virtual:
        return "\n".join(lines)
    journal = disk.folder(lab, host) / "upper/var/log/journal"
    argv = ["journalctl", f"--directory={journal}", "--priority=warning", f"--lines={count}", "--output=short"]
    warned = subprocess.run([*argv, "--quiet"], capture_output=True, text=True, check=False).stdout.splitlines()
    return "\n".join([*lines, *warned])


def _nspawn(tree: Path, folder: Path, host: HostSpec, namespace: Path) -> list[str]:
    volumes = [f"--bind={folder}/volumes/{name}:{path}" for name, path in disk.VOLUMES.items()]
    argv = [
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", f"--directory={folder}/root"),
        *(f"--machine={host.name}", f"--hostname={host.name}", f"--network-namespace-path={namespace}"),
        *("--capability=all", "--system-call-filter=add_key keyctl request_key bpf", "--bind=/dev/kmsg"),
        *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"),
        *volumes,
    ]
    return mounted(tree, folder, SCRIPTS.argv("nspawn", *argv), propagation="slave")


def _kill(process: Process) -> None:
    """The host's init first: it takes every process of the host with it, and nspawn then ends by itself."""
    leader = _leader(process.pid)  # of a virtual machine: none
    if leader is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS_TO_DIE
        while process.alive() and time.monotonic() < deadline:
            time.sleep(PAUSE)
    process.kill(SECONDS_TO_DIE)


def _leader(nspawn: int) -> int | None:
    """The host's init: nspawn's child, or its grandchild where systemd-run or a stub stands between."""
    for child in children(nspawn):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{child}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
                return child
    return None


def _record(lab: Lab, host: HostSpec) -> Path:
    return lab.host(host.name) / "run.json"
