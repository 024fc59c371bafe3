"""A host that is a virtual machine: a kernel of its own, with modules and a clock of its own, in software emulation.

Slow, and good for what the machine's kernel lacks (ip_vs) or has only one of (the clock).
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from lab import network, ssh
from lab.scripts import mounted
from lab.state import Lab
from lab.topology import HostSpec
from provision.errors import FailedError

MEMORY = 1024  # MiB
PROCESSORS = 2
DISK = "3G"  # as the guest sees it; the file holds what was written
KERNEL_ARGUMENTS = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off no_timer_check fsck.mode=skip"
TAIL = 8192
NETWORK = """[Match]
Name=eth0
[Network]
Address={address}
Gateway={gateway}
LinkLocalAddressing=no
IPv6AcceptRA=no
"""


def fill(folder: Path, host: HostSpec, tree: Path) -> None:
    """Make `folder`/disk.img of the shared tree with what `folder`/upper lays over it. Raises FailedError.

    Its content is the same two layers as another host's root; nothing is mounted but in this command's namespace.
    """
    image = folder / "disk.img"
    image.unlink(missing_ok=True)
    make = ["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", f"{folder}/root", str(image), DISK]
    done = subprocess.run(
        mounted(tree, folder, make),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    if done.returncode:
        raise FailedError("the virtual machine's disk could not be made", host=host.name, found=done.stderr.strip())


def boot(lab: Lab, host: HostSpec, tree: Path, disk: Path) -> list[str]:
    """The command that is the machine as long as it runs. It ends when the guest powers off or reboots.

    tree: what the disk was filled from; kernel and initial disk are read there. disk: the folder of disk.img.
    """
    kernel = max((tree / "boot").glob("vmlinuz-*"))
    console = _console(lab, host)
    return [
        *("nsenter", f"--net={network.namespace(lab, network.SWITCH)}"),
        *("qemu-system-x86_64", "-name", host.name, "-nodefaults", "-no-user-config", "-no-reboot"),
        *("-display", "none", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max"),
        *("-smp", str(PROCESSORS), "-m", str(MEMORY)),
        *("-kernel", str(kernel), "-initrd", str(kernel.with_name(kernel.name.replace("vmlinuz", "initrd.img")))),
        *("-append", KERNEL_ARGUMENTS),
        *("-drive", f"file={_quoted(disk / 'disk.img')},format=raw,if=virtio,cache=unsafe"),
        *("-netdev", f"tap,id=cable,ifname={network.port(host)},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=cable,mac={network.hardware_address(host)},romfile="),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,path={_quoted(console)},append=on", "-serial", "chardev:console"),
    ]


def rebooted(lab: Lab, host: HostSpec, code: int) -> bool:
    """Whether the machine ended because the guest rebooted: qemu ends alike for a power off, the kernel says which."""
    if code:
        return False
    with _console(lab, host).open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - TAIL))
        log = file.read()
    return log.rfind(b"reboot: Restarting system") > log.rfind(b"reboot: Power down")


def command(lab: Lab, host: HostSpec, argv: list[str]) -> list[str]:
    """The command line that runs `argv` on the machine. There is no other way into another kernel than by ssh."""
    return ssh.command(lab, host, ["--", shlex.join(argv)])


def _console(lab: Lab, host: HostSpec) -> Path:
    return lab.host(host.name) / "console.log"


def _quoted(path: Path) -> str:
    """A path among qemu's options: a comma would begin the next one."""
    return str(path).replace(",", ",,")
