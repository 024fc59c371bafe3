"""Running the controller's own programs (curl, ssh, a browser) as if they were on the ops host."""

from __future__ import annotations

from pathlib import Path

from lab import network
from lab.scripts import SCRIPTS
from lab.state import Lab
from lab.topology import Topology
from provision.errors import FailedError
from provision.usage import usage

# Bound over the machine's own files in a mount namespace of the command's: the machine's are never written, and
# names are asked of the lab's bind only, past whatever resolver service the machine runs.
BOUND = ("resolv.conf", "hosts", "nsswitch.conf")


def write_files(lab: Lab, topology: Topology) -> None:
    """Write the resolver's files that hold on the ops host."""
    folder = _folder(lab)
    folder.mkdir(parents=True, exist_ok=True)
    contents = (
        f"nameserver {topology.resolver}\noptions timeout:2 attempts:2\n",
        f"127.0.0.1 localhost\n{topology.ops.address} {topology.ops.name}\n",
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    )
    for name, content in zip(BOUND, contents, strict=True):
        (folder / name).write_text(content)


def command(lab: Lab, argv: list[str]) -> list[str]:
    """The command line that runs `argv` on the ops host. Raises FailedError when the lab is down."""
    path = network.namespace(lab, lab.topology().ops.name)
    if not path.exists():
        raise FailedError(f"the lab {lab.name} is down", do=f"Start it: {usage(f'lab.up{lab.option}')}")
    return [
        *("nsenter", f"--net={path}", "unshare", "--mount", "--propagation", "slave"),
        *SCRIPTS.argv("on_ops_host", str(_folder(lab)), *argv),
    ]


def on_ops_host(argv: list[str], name: str) -> list[str]:
    """As `command`, for the lab of that name: the inventory's `hdss7_ops_host`, from which `invoke verify` looks in."""
    return command(Lab.named(name), argv)


def _folder(lab: Lab) -> Path:
    return lab.directory / "ops"
