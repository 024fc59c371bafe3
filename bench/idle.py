"""What a lab costs while it does nothing: CPU and memory of everything below its control groups."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from lab import cgroups


def processes(lab: str, hosts: Iterable[str]) -> set[int]:
    """Every process of the lab's hosts."""
    found: set[int] = set()
    for host in hosts:
        for directory in cgroups.directories(lab, host)[:1]:
            for tasks in directory.rglob("cgroup.procs"):
                found |= {int(pid) for pid in tasks.read_text().split()}
            found |= {int(pid) for pid in (directory / "cgroup.procs").read_text().split()}
    return found


def memory(pids: Iterable[int]) -> float:
    """Proportional memory (PSS) in MiB: shared pages counted once."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def cpu(lab: str, hosts: Iterable[str], seconds: float) -> float:
    """Per cent of one core over `seconds`, by the cpuacct control group (v1)."""
    usage = [
        path / "cpuacct.usage" for host in hosts for path in cgroups.directories(lab, host) if "cpuacct" in path.parts
    ]
    before = sum(int(path.read_text()) for path in usage)
    began = time.monotonic()
    time.sleep(seconds)
    return (sum(int(path.read_text()) for path in usage) - before) / (time.monotonic() - began) / 1e7
