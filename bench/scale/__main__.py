"""`make bench-scale`: what a run over many small hosts costs beside `true` on each; then over a scheduler's workers.

`python -m bench.scale [HOSTS...]`, 10 100 300 1000 by default. It prints the tables of docs/performance.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.clock import ROOT, Sample, in_turn, median, timed
from bench.scale import ill
from bench.scale.cluster import URL, cluster
from bench.scale.farm import Farm, farm
from lab.artifacts.rootfs import host_tree
from provision.remote.pool import forks_for, workers_for

HOSTS = (10, 100, 300, 1000)
PROJECT = ROOT / "bench/scale/project"
SPREAD = 300  # hosts that 1, 2 and 4 workers of a scheduler handle
WORKERS = (1, 2, 4)
MANY = 300  # hosts, from which on some of them are made ill as well
RUNS = 3
HEAD = "| hosts | processes | no-op | floor | ratio | CPU s a host, floor's | controller MiB | plan, CPU ms a host |"


def main(words: Sequence[str]) -> int:
    """Measures, size by size, and prints."""
    rows, spread, some_ill = [], [], []
    for count in map(int, words or HOSTS):
        with farm("bench", count, host_tree()) as small:
            inventory = small.inventory(small.folder / "hosts.yml")
            _deploy_alike(small, inventory)
            rows.append(_one_controller(small, inventory))
            if count >= MANY:
                some_ill.append(_said(ill.row(small, _hdss7(inventory, "deploy"))))
            if count == SPREAD:
                spread = [_over_scheduler(small, inventory, workers) for workers in WORKERS]
    print("\n".join(("", HEAD, "|---" * HEAD.count(" |") + "|", *rows)))
    if spread:
        print(
            "\n".join(
                (
                    "",
                    f"| workers, {SPREAD} hosts | no-op | CPU s a host: controller, scheduler, workers |",
                    "|---|---|---|",
                    *spread,
                )
            )
        )
    if some_ill:
        print("\n".join(("", ill.HEAD, "|---" * (ill.HEAD.count("|") - 1) + "|", *some_ill)))
    print(f"\n{os.cpu_count()} cores, which hosts, workers and controller share; medians of {RUNS} runs in turn")
    return 0


def _one_controller(small: Farm, inventory: Path) -> str:
    count = len(small.hosts)
    processes, threads = workers_for(count), forks_for(count)
    floor = [sys.executable, "-m", "bench.scale.floor", str(small.key), str(small.known_hosts)]
    floor += [str(processes), str(-(-threads // processes)), *small.hosts.values()]
    no_op, least, lint = in_turn(
        RUNS,
        _counted(small, _hdss7(inventory, "deploy")),
        _counted(small, floor),
        _counted(small, _hdss7(inventory, "lint")),
    )
    ours, base, plan = median(no_op), median(least), median(lint)
    ratio = sorted(a.wall / b.wall for a, b in zip(no_op, least, strict=True))[RUNS // 2]
    return _said(
        f"| {count} | {processes} | {ours.wall:.2f} s | {base.wall:.2f} s | {ratio:.2f} "
        f"| {ours.cpu / count:.3f}, {base.cpu / count:.3f} | {ours.memory:.0f} | {1000 * plan.cpu / count:.1f} |"
    )


def _over_scheduler(small: Farm, inventory: Path, workers: int) -> str:
    with cluster(small, workers) as made:
        argv = _hdss7(inventory, "deploy", "--scheduler", URL)
        named = [f"{name}={value}" for name, value in made.environment.items() if name.startswith("DASK_")]
        run = _counted(small, ["env", *named, *argv])
        run()
        before = made.cpu()
        runs = [run() for _ in range(RUNS)]
        beside = (made.cpu() - before) / RUNS
    found = median(runs)
    return _said(f"| {workers} | {found.wall:.2f} s | {(found.cpu + beside) / len(small.hosts):.3f} |")


def _hdss7(inventory: Path, *words: str) -> list[str]:
    place = ["--project", str(PROJECT), "--inventory", str(inventory)]
    return [sys.executable, "-m", "invoke", *words, *place]


def _deploy_alike(small: Farm, inventory: Path) -> None:
    """Deploys one host for real; the others get what it has written: to change each would take most of the bench."""
    first, *others = small.hosts
    _counted(small, _hdss7(inventory, "deploy", "--limit", first))()
    copy = 'cd "$1/$2/root"; for h in $(cat); do cp -a --parents etc/small var/lib/provision "$1/$h/root/"; done'
    subprocess.run(
        [*small.mounts, "sh", "-ec", copy, "sh", str(small.folder / "disks"), first],
        input="\n".join(others),
        text=True,
        check=True,
    )


def _counted(small: Farm, argv: list[str]) -> Callable[[], Sample]:
    """Runs a command that has to reach the hosts; its CPU seconds are its own and those of its processes."""
    return lambda: timed([*small.inside, *argv])


def _said(row: str) -> str:
    """The row, which is shown at once: a bench that ends in an error has not lost what it measured."""
    print(row, file=sys.stderr, flush=True)
    return row


if __name__ == "__main__":
    if not shutil.which("nft"):
        raise SystemExit("bench.scale needs nft: apt-get install nftables")
    raise SystemExit(main(sys.argv[1:]))
