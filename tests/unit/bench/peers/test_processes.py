"""A run's seconds end with its process; what it left behind is ended, and its CPU seconds are the run's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.peers.processes import timed
from provision.errors import FailedError

ROOT = Path(__file__).resolve().parents[4]
# in a process of its own: what it adopts is not this test's
MEASURE = """
import dataclasses, json, os, sys
from pathlib import Path
from bench.peers.processes import adopt, timed
from lab.process import children
adopt()
sample = timed(json.loads(sys.argv[1]), Path("/"), dict(os.environ))
print(json.dumps({**dataclasses.asdict(sample), "left": children(os.getpid())}))
"""


def measured(*argv: str) -> dict[str, Any]:
    run = [sys.executable, "-c", MEASURE, json.dumps(argv)]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_cpu_of_what_is_left_behind_counts_and_its_seconds_do_not() -> None:
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    found = measured("sh", "-c", '"$@" >/dev/null 2>&1 & exit 0', "sh", sys.executable, "-c", burn)
    assert found["cpu"] >= 0.5
    assert found["wall"] < 0.5
    assert found["left"] == []


def test_an_ssh_that_stays_for_the_next_run_is_ended(tmp_path: Path) -> None:
    stays = shutil.copy(shutil.which("sleep") or "", tmp_path / "ssh")
    found = measured("sh", "-c", '"$1" 600 >/dev/null 2>&1 & exit 0', "sh", str(stays))
    assert found["left"] == []


def test_a_run_that_fails_ends_the_bench_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="ended with 3") as caught:
        timed(["sh", "-c", "echo no such host >&2; exit 3"], tmp_path, {"PATH": "/usr/bin:/bin"})
    assert "no such host" in str(caught.value)
