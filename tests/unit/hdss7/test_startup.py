"""What a command that is over within a second does not import."""

from __future__ import annotations

import subprocess
import sys

from tests.unit.conftest import ROOT


def test_the_command_imports_no_mock_asyncio_or_second_yaml() -> None:
    script = "import sys, hdss7.main, fabric; print(*sorted(sys.modules), sys.modules['invoke.vendor.yaml'].__name__)"
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    *modules, name = done.stdout.split()
    assert name == "yaml"
    assert {"unittest.mock", "asyncio", "invoke.vendor.yaml.reader"} & {*modules} == set()
    assert {"invoke", "fabric", "yaml"} <= {*modules}
