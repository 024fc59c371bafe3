"""Whether this machine can carry a lab, asked before anything is made."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import msgspec

from lab.scripts import SCRIPTS
from provision.errors import InputError

GIB = 1 << 30
DISK_NEEDED = 8 * GIB
MEMORY_NEEDED = 3 * GIB
MACHINE_MEMORY = 5 * GIB // 4  # the guest's, and what qemu translates into
# command -> Debian package that brings it (artefacts may name several, with blanks between)
TOOLS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "nft": "nftables",
    "ssh": "openssh-client",
    "curl": "curl",
    "systemd-nspawn": "systemd-container",
}
MACHINE_TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs"}
TUN = Path("/dev/net/tun")
SBIN = "/usr/sbin:/sbin"
# What a host takes of the user's inotify instances: systemd alone, and with containerd, kubelet and kube-apiserver.
WATCHERS_BARE, WATCHERS_FULL = 4, 16
WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances")
# What the lab does at its beginning, in miniature, and undone by the end of the namespaces, which is this process' too.
NAMESPACED = (
    "setpriv", "--pdeathsig", "KILL",
    "unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
)  # fmt: skip


class Machine(msgspec.Struct, frozen=True):
    """What preflight looks at.

    missing: Debian packages. sbin: PATH leads to the administrator's programs. disk, memory: bytes free.
    watchers: inotify instances that the user may still make. trial: why sh/trial.sh failed, or ''. tun: a virtual
    machine can be cabled.
    """

    root: bool
    missing: tuple[str, ...]
    sbin: bool
    disk: int
    memory: int
    watchers: int
    trial: str
    folder: Path
    tun: bool = True


def packages(*, vm: bool = False) -> list[str]:
    """The Debian packages that a lab on this machine still needs, for `make` to install. vm: with a virtual machine."""
    from lab.artifacts import tools

    wanted = {**tools.commands(), **TOOLS, **(MACHINE_TOOLS if vm else {})}
    path = f"{os.environ.get('PATH', '')}:{SBIN}"
    missing = [packages for command, packages in wanted.items() if not shutil.which(command, path=path)]
    return sorted({package for packages in missing for package in packages.split()})


def look(folder: Path, *, vm: bool = False) -> Machine:
    """Look at this machine. folder: the lab's, where its disks will be. vm: with a virtual machine in mind."""
    root, missing = os.geteuid() == 0, tuple(packages(vm=vm))
    sbin = all(shutil.which(tool) for tool in TOOLS if shutil.which(tool, path=SBIN))
    trial = ""
    if root and not missing and sbin:
        trial = _try(folder)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    disk = shutil.disk_usage(existing).free
    return Machine(root, missing, sbin, disk, _memory(), _watchers(), trial, folder, not vm or TUN.exists())


def check(machine: Machine, hosts: int, *, bare: bool = False, machines: int = 0) -> None:
    """Raise InputError for the first thing that stands in the way of a lab of so many hosts, with what to do.

    bare: they will run nothing but themselves. machines: virtual ones besides.
    """
    _check_tools(machine)
    _check_room(machine, hosts * (WATCHERS_BARE if bare else WATCHERS_FULL), MEMORY_NEEDED + machines * MACHINE_MEMORY)
    if not machine.tun:
        raise InputError(
            "a virtual machine can't be cabled here",
            found=f"there is no {TUN}",
            do="Load the module tun; a container gets the device by --device /dev/net/tun",
        )


def _check_tools(machine: Machine) -> None:
    if not machine.root:
        raise InputError("a lab needs root, to make network namespaces and mounts", do="Run it with sudo, or as root")
    if machine.missing:
        names = " ".join(machine.missing)
        raise InputError(
            "programs that a lab is made of are not installed",
            found=f"missing Debian packages: {names}",
            do=f"Install them: make packages, or apt-get install {names}",
        )
    if not machine.sbin:
        raise InputError(
            "programs that a lab is made of are installed, but not on PATH",
            found=f"PATH has no {SBIN.split(':')[0]}, as after su without a dash",
            do=f"Run it by sudo or su -, or first: export PATH=$PATH:{SBIN}",
        )
    if machine.trial:
        raise InputError(
            "this machine lets no namespaces or overlays be made",
            found=machine.trial,
            do="Inside a container, give it more rights (--privileged); if only the overlay failed, "
            f"set XDG_STATE_HOME to a folder on a disk of its own: {machine.folder} is on none",
        )


def _check_room(machine: Machine, watchers: int, memory: int) -> None:
    if machine.disk < DISK_NEEDED:
        raise InputError(
            f"a lab needs {DISK_NEEDED // GIB} GiB of disk",
            found=f"{machine.disk / GIB:.1f} GiB are free at {machine.folder}",
            do="Free some, or set XDG_STATE_HOME and XDG_CACHE_HOME to a larger disk",
        )
    if machine.memory < memory:
        raise InputError(
            f"a lab needs {memory / GIB:g} GiB of memory",
            found=f"{machine.memory / GIB:.1f} GiB are available",
            do="End something else, or take another lab down",
        )
    if machine.watchers < watchers:
        raise InputError(
            f"a lab of this size needs {watchers} inotify instances",
            found=f"{machine.watchers} are left of {WATCHERS.read_text().strip()} (fs.inotify.max_user_instances)",
            do="Take another lab down, or allow more: sysctl -w fs.inotify.max_user_instances=1024",
        )


def _try(folder: Path) -> str:
    """What sh/trial.sh printed when it failed. It lies in the lab's folder, so that a kill here is swept up with it."""
    trial = folder / "trial"
    shutil.rmtree(trial, ignore_errors=True)
    trial.mkdir(mode=0o700, parents=True)
    done = subprocess.run(
        [*NAMESPACED, *SCRIPTS.argv("trial", str(trial))], capture_output=True, text=True, check=False
    )
    shutil.rmtree(trial)
    with contextlib.suppress(OSError):  # a lab that is there already
        folder.rmdir()
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else ""


def _watchers() -> int:
    """What systemd lacks without a word when it can't boot: the limit counts what all processes of a user hold."""
    used = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process has ended
            held = sum(os.readlink(entry) == "anon_inode:inotify" for entry in os.scandir(process / "fd"))
            if held and f"\nUid:\t{os.getuid()}\t" in (process / "status").read_text():
                used += held
    return int(WATCHERS.read_text()) - used


def _memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, value = line.split(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return 0
