"""What hosts boot from: Debian with systemd, sshd and apt, nothing that a role brings. For a machine, a kernel too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab.artifacts.cache import Cache, Doing, Entry, Progress, silent, unseen
from lab.artifacts.runner import Runner
from lab.suites import BOOKWORM
from provision.remote.shell import Scripts

SCRIPTS = Scripts(__file__)
# curl is what a host fetches with, sudo what a login that is not root needs; no Python on purpose.
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "ca-certificates", "curl",
    "kmod", "procps",
)  # fmt: skip
# What a virtual machine has besides. Its processor is emulated: to unpack what roles install would take it minutes, so
# that is on its disk already, and roles find it there.
MACHINE_PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools",
    "supervisor", "iptables", "nftables", "ipset", "ipvsadm", "conntrack",
)  # fmt: skip
# Documentation doubles a package's files and nobody reads it in a lab; a lab's disk needs no fsync per file.
LEAN = (
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/lintian/*",
    "--dpkgopt=force-unsafe-io",
    '--aptopt=Acquire::Languages "none"',
)
# A disk that many hosts share names no host: each gets its keys, machine-id, name and resolver from the lab.
# The package sources move out of it: hosts have no way out, so apt's daily timers could only hold its lock when a role
# wants it.
ANONYMOUS = SCRIPTS.text("anonymous")
ROOT = "root"
KEYRING = "on Ubuntu, Debian's keys come with apt-get install debian-archive-keyring"
SOURCES = "sources.list"


def tree_entry(cache: Cache, runner: Runner, progress: Progress = silent, suite: str = BOOKWORM) -> Entry:
    """The cached tree: folder `root` (the disk) and file `sources.list` (where its packages came from)."""
    return _entry("tree", suite, PACKAGES, (), cache, runner, progress)


def machine_tree_entry(cache: Cache, runner: Runner, progress: Progress = silent) -> Entry:
    """As `tree_entry`, for virtual machines: with a kernel and an initial disk in `root/boot`."""
    hook = (f"--essential-hook={SCRIPTS.text('machine_drivers')}",)
    return _entry("machine-tree", BOOKWORM, (*PACKAGES, *MACHINE_PACKAGES), hook, cache, runner, progress)


def _entry(
    name: str,
    suite: str,
    packages: Sequence[str],
    hooks: Sequence[str],
    cache: Cache,
    runner: Runner,
    progress: Progress,
) -> Entry:
    def build(folder: Path, log: Path) -> list[str]:
        options = ["--mode=root", "--variant=minbase", "--format=directory", *LEAN]
        contents = [f"--include={','.join(packages)}", *hooks, f"--customize-hook={ANONYMOUS}"]
        command = ["mmdebstrap", *options, *contents, suite, str(folder / ROOT)]
        runner.run("building the hosts' disk", command, log, scratch=folder, do=f"{KEYRING}; {log} says more")
        return []

    made_of = {"suite": suite, "packages": " ".join(packages), "options": " ".join(LEAN), "hook": ANONYMOUS}
    if hooks:
        made_of["hooks"] = "\n".join(hooks)
    return cache.entry(name, made_of, build, progress)


def host_tree(progress: Progress = silent, doing: Doing = unseen, suite: str = BOOKWORM) -> Path:
    """The folder that is the lower layer of every host's overlay; built once, then shared.

    It must not be written to. Raises InputError without mmdebstrap, FailedError when the build fails.
    """
    return tree_entry(Cache(doing=doing), Runner(), progress, suite).path / ROOT


def machine_tree(progress: Progress = silent, doing: Doing = unseen) -> Path:
    """The folder that a virtual machine's disk is filled from; as `host_tree`."""
    return machine_tree_entry(Cache(doing=doing), Runner(), progress).path / ROOT
