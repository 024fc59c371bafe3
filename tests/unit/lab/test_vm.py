"""A virtual machine as a host: how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import vm
from lab.state import Lab
from lab.topology import HostSpec

HOST = HostSpec("v", "10.9.1.7", virtual=True)
DOWN, AGAIN = b"[  9.1] reboot: Power down\r\n", b"[  9.1] reboot: Restarting system\r\n"


@pytest.mark.parametrize(
    ("console", "code", "rebooted"),
    [
        (b"login: " + AGAIN, 0, True),
        (b"login: " + DOWN, 0, False),
        (DOWN + b"login: " + AGAIN, 0, True),
        (AGAIN + b"login: " + DOWN, 0, False),
        (AGAIN, 1, False),  # qemu itself failed: what the console says is of the boot before
        (b"", 0, False),
        (AGAIN + b"x" * vm.TAIL, 0, False),
    ],
)
def test_only_the_kernel_says_whether_it_wants_to_boot_again(
    tmp_path: Path, console: bytes, code: int, rebooted: bool
) -> None:
    lab = Lab("unit", tmp_path)
    lab.host("v").mkdir(parents=True)
    (lab.host("v") / "console.log").write_bytes(console)
    assert vm.rebooted(lab, HOST, code) is rebooted
