"""A host's disk: what a machine fresh from an installer has, above the tree that all hosts share.

Everything here stands for the hardware and the installer. What an operator would do is a role's.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

import msgspec

from lab import keys, network, vm
from lab.scripts import SCRIPTS, mounted
from lab.state import Lab, read, write
from lab.suites import BOOKWORM
from lab.topology import HostSpec, Topology
from provision.errors import FailedError, InputError
from provision.usage import usage

# Real directories below these paths: an overlay can't be mounted on the overlay that the rest of the disk is,
# and containerd does (lab facts, gotcha 9); databases are spared the detour as well.
VOLUMES = {
    "containerd": "/var/lib/containerd",
    "kubelet": "/var/lib/kubelet",
    "etcd": "/var/lib/etcd",
    "data": "/data",
}
PREPARE_UNIT = """[Unit]
Description=What stands for this host's hardware
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-prep
"""
# The kernel's log is the machine's, not the host's.
JOURNAL = """[Journal]
Storage=persistent
SystemMaxUse=32M
RateLimitBurst=0
ReadKMsg=no
"""
SSHD = """# The lab's installer.
Port {port}
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
LogLevel VERBOSE
MaxSessions 20
MaxStartups 50
"""
# Terminals, seats and passphrases that nobody is there for, each watched through one of the 128 inotify instances that
# a user has on the whole machine; and timers that would wake an idle lab to look for packages that can't be fetched.
MASKED = (
    "console-getty.service", "getty@.service", "container-getty@.service", "getty-static.service",
    "serial-getty@.service", "systemd-logind.service",
    "systemd-ask-password-console.path", "systemd-ask-password-wall.path",
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
    "systemd-firstboot.service",
)  # fmt: skip
# What is started when. A virtual machine sets its card up itself, and what needs the network waits for that: networkd
# removes routes that others made before. The network of any other host is there before its init.
WAIT_ONLINE = "systemd-networkd-wait-online.service"
UNITS = {"sysinit.target": "/etc/systemd/system/lab-prep.service"}
MACHINE_UNITS = {
    "sysinit.target": "/lib/systemd/system/systemd-networkd.service",
    "network-online.target": f"/lib/systemd/system/{WAIT_ONLINE}",
}


class Disk(msgspec.Struct, frozen=True):
    """A host's disk. tree: the lower layer it was made on, and the only one it can be used with. suite: its Debian."""

    tree: Path
    suite: str = BOOKWORM


def folder(lab: Lab, host: HostSpec) -> Path:
    """Holds `upper` and `work` of the overlay, its mount point `root`, and the volumes."""
    return lab.host(host.name) / "disk"


def ensure(lab: Lab, topology: Topology, host: HostSpec, tree: Path) -> Path:
    """The tree that the host's disk lies on; the disk is made on `tree` if the host has none.

    Raises InputError when the disk was made on a tree that is no longer in the cache, or is another Debian's.
    """
    record = lab.host(host.name) / "disk.json"
    found = read(record, Disk)
    if found is not None:
        if not found.tree.is_dir():
            raise InputError(
                "the tree below this host's disk has left the cache",
                host=host.name,
                found=f"{found.tree} is gone",
                do=f"Make the lab anew: {usage(f'lab.down --purge{lab.option}')}",
            )
        if found.suite != host.suite:
            raise InputError(
                f"this host's disk is Debian {found.suite}, not {host.suite}",
                host=host.name,
                do=f"Set lab_suite: {found.suite}, or make the lab anew: {usage(f'lab.down --purge{lab.option}')}",
            )
        return found.tree
    shutil.rmtree(folder(lab, host), ignore_errors=True)  # of an `up` that was cut off here
    _install(lab, topology, host, tree)
    write(record, Disk(tree, host.suite))
    return tree


def _install(lab: Lab, topology: Topology, host: HostSpec, tree: Path) -> None:
    disk = folder(lab, host)
    upper = disk / "upper"
    for name in ("work", "root", *(f"volumes/{volume}" for volume in VOLUMES if not host.virtual)):
        (disk / name).mkdir(parents=True)
    for name, (content, mode) in _files(lab, topology, host).items():
        path = upper / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(mode)
    units = upper / "etc/systemd/system"
    for target, unit in (MACHINE_UNITS if host.virtual else UNITS).items():
        (units / f"{target}.wants").mkdir(parents=True)
        (units / f"{target}.wants" / Path(unit).name).symlink_to(unit)
    for unit in MASKED if host.virtual else (*MASKED, WAIT_ONLINE):
        (units / unit).symlink_to("/dev/null")
    for directory in [upper, *(path for path in upper.rglob("*") if path.is_dir())]:
        directory.chmod(0o755)  # whatever umask the controller has
    (upper / "root").chmod(0o700)
    (upper / "root/.ssh").chmod(0o700)
    if host.user != "root":
        _add_user(disk, tree, host)
    if host.virtual:
        vm.fill(disk, host, tree)


def _files(lab: Lab, topology: Topology, host: HostSpec) -> dict[str, tuple[str, int]]:
    private = keys.host_key(lab.keys, host)
    authorized = keys.client_key(lab.keys).with_suffix(".pub").read_text()
    return {
        "etc/hostname": (host.name + "\n", 0o644),
        "etc/machine-id": (secrets.token_hex(16) + "\n", 0o444),
        "etc/hosts": (f"127.0.0.1 localhost\n{host.address} {host.name}\n", 0o644),
        "etc/resolv.conf": (f"nameserver {topology.resolver}\n", 0o644),
        "etc/ssh/ssh_host_ed25519_key": (private.read_text(), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (keys.ensure(private) + "\n", 0o644),
        "etc/ssh/sshd_config.d/lab.conf": (SSHD.format(port=host.port), 0o644),
        "root/.ssh/authorized_keys": (authorized, 0o600),
        "etc/systemd/journald.conf.d/lab.conf": (JOURNAL, 0o644),
        **(_card(topology, host) if host.virtual else _hardware()),
    }


def _hardware() -> dict[str, tuple[str, int]]:
    return {
        "etc/systemd/system/lab-prep.service": (PREPARE_UNIT, 0o644),
        "usr/local/sbin/lab-prep": (SCRIPTS.text("prepare"), 0o755),
    }


def _card(topology: Topology, host: HostSpec) -> dict[str, tuple[str, int]]:
    """A virtual machine's own kernel has a network card to set up, and nothing that another host's would lack."""
    settings = vm.NETWORK.format(address=f"{host.address}/{network.length(topology)}", gateway=topology.gateway)
    return {"etc/systemd/network/lab.network": (settings, 0o644)}


def _add_user(disk: Path, tree: Path, host: HostSpec) -> None:
    """The installer's own way to a first user: useradd, chpasswd, sudo; with no password, sudo asks for none."""
    rule = f"{host.user} ALL=(ALL:ALL) {'ALL' if host.password else 'NOPASSWD: ALL'}"
    done = subprocess.run(
        mounted(tree, disk, ["chroot", f"{disk}/root", *SCRIPTS.argv("add_user", host.user, rule)]),
        input=f"{host.user}:{host.password}\n" if host.password else "",
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    if done.returncode:
        raise FailedError(f"the user {host.user} could not be made", host=host.name, found=done.stderr.strip())
