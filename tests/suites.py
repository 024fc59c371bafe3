"""The suites of this project and how they are run: `python -m tests.suites [OPTIONS] SUITE...`.

A suite is lanes that run side by side, a lane is parts that run one after the other, a part is one pytest process. Labs
wait more than they compute, so two lanes cost hardly more time than the longer of them. At most two labs have full
hosts at one time: each host takes 16 of the machine's 128 inotify instances (fs.inotify.max_user_instances), a bare
one takes 4. Beside `elsewhere`, whose hosts take 96, there is no other full lab.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from provision.folders import cache_folder
from tests import outcomes

ROOT = Path(__file__).resolve().parents[1]
MOST_SECOND_TRIES = 2


@dataclass(frozen=True)
class Part:
    """One pytest process. options: pytest's. rows: its tests do not build on each other: any can be left out."""

    name: str
    paths: tuple[str, ...]
    options: tuple[str, ...] = ()
    rows: bool = False


Lane = tuple[Part, ...]
LAB = "tests/lab"
UNITS = Part("unit", ("tests/unit",), ("-n", "2"))
ANSIBLE = Part("ansible", ("tests/ansible",))  # inventories, compared with those that ansible-core reads
# these share one deployed site, t-site
SITE = Part(
    "site",
    tuple(
        f"{LAB}/test_{name}.py"
        for name in ("binaries", "ingress", "names", "proxy", "roll", "settings", "trace", "site")
    ),
)
ELSEWHERE = Part("elsewhere", (f"{LAB}/test_elsewhere.py",))
DEBIAN13 = Part("debian13", (f"{LAB}/test_debian13.py",))
UPGRADE = Part("upgrade", (f"{LAB}/test_upgrade.py",))
ETCD = Part("etcd", (f"{LAB}/test_etcd.py",))
ROLLED = Part("rolled", (f"{LAB}/test_rolled.py",))
HOSTS = Part("hosts", (f"{LAB}/test_hosts.py",))
# the first has a small site of its own; the others share one, and the last of them switches it to HAProxy and back
ENTRANCE = Part(
    "entrance", tuple(f"{LAB}/test_{name}.py" for name in ("haproxy", "passing", "entrance", "entrance_haproxy"))
)
TLS = Part("tls", (f"{LAB}/test_tls.py", f"{LAB}/test_tls_haproxy.py"))  # one site; the last switches it to HAProxy
TWO_EDGES = Part("ha", (f"{LAB}/test_two_edges.py", f"{LAB}/test_second_edge.py"))
APART = (ELSEWHERE, DEBIAN13, UPGRADE, ETCD, ROLLED, HOSTS, ENTRANCE, TLS, TWO_EDGES)
BARE = Part(
    "bare",
    (LAB,),
    tuple(
        f"--ignore={path}" for path in (f"{LAB}/faults", *SITE.paths, *(path for part in APART for path in part.paths))
    ),
)
CUTS = Part("cuts", (f"{LAB}/faults/test_cuts.py",), rows=True)
FAULTS = Part("faults", (f"{LAB}/faults/test_rolls.py", f"{LAB}/faults/test_faults.py"), rows=True)
MACHINE = Part("vm", ("tests/vm",))
SUITES: Mapping[str, tuple[Lane, ...]] = {
    "test": ((SITE, ELSEWHERE), (UNITS, ANSIBLE, BARE)),
    "ansible": ((ANSIBLE,),),
    "long": (  # for --core: all at once
        (CUTS, FAULTS, HOSTS, ENTRANCE, TLS),
        (MACHINE, UPGRADE, ETCD, DEBIAN13, TWO_EDGES),  # never beside HOSTS: both have four hosts
    ),
    "faults": ((CUTS, FAULTS),),
    "vm": ((MACHINE,),),
    "upgrade": ((UPGRADE,),),
    "debian13": ((DEBIAN13,),),
    "etcd": ((ETCD,),),
    "rolled": ((ROLLED,),),
    "hosts": ((HOSTS,),),
    "entrance": ((ENTRANCE,),),
    "tls": ((TLS,),),
    "ha": ((TWO_EDGES,),),
}


@dataclass(frozen=True)
class Result:
    """How a suite ended. counts: of tests by outcome. second: the tests that needed a second try. broken: the parts
    that failed, whose tests may not have run at all."""

    suite: str
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)
    second: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    def __str__(self) -> str:
        again = f", {len(self.second)} at the second try: {', '.join(self.second)}" if self.second else ""
        broken = f"; FAILED: {', '.join(self.broken)}" if self.broken else ""
        return f"{self.suite}: {self.seconds:.0f} s{again}{broken}"


def commit() -> str:
    """The commit of this clone, with `-dirty` where something differs from it; `none` without git."""
    argv = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "none"


def results_folder() -> Path:
    """Where what tests came to is kept, for each commit apart."""
    return cache_folder("tests", commit())


class Run:
    """One run of suites. core: one test of each kind. retry: what fails runs once more. resume: without what passed."""

    def __init__(self, folder: Path, *, core: bool, retry: bool, resume: bool) -> None:
        self._folder = folder
        self._core, self._retry, self._resume = core, retry, resume
        self._printing = threading.Lock()

    def suite(self, name: str) -> Result:
        """Runs one suite, its lanes side by side."""
        began = time.monotonic()
        lanes = SUITES[name]
        with ThreadPoolExecutor(len(lanes)) as pool:
            parts = [result for lane in pool.map(self._lane, lanes) for result in lane]
        return Result(
            f"{name}{', its core' if self._core else ''}",
            time.monotonic() - began,
            sum((Counter(part.counts) for part in parts), Counter()),
            tuple(test for part in parts for test in part.second),
            tuple(name for part in parts for name in part.broken),
        )

    def _lane(self, lane: Lane) -> list[Result]:
        return [self.part(part) for part in lane]

    def part(self, part: Part) -> Result:
        """Both tries of one part. What it prints is shown line by line after its name, because lanes mix."""
        began = time.monotonic()
        noted = self._folder / f"{part.name}{'-core' if self._core else ''}.jsonl"
        if not self._resume:
            noted.unlink(missing_ok=True)
        elif not part.rows and noted.with_suffix(".passed").exists():
            return Result(part.name, 0, Counter(outcomes.read(noted).values()))
        self._say(f"{part.name} begins")
        code = self._pytest(part, noted, *(("--resume",) if part.rows else ()))
        second: tuple[str, ...] = ()
        if code == 1 and self._retry:
            second = tuple(test for test, how in outcomes.read(noted).items() if how == outcomes.FAILED)
            self._say(f"{part.name}: what failed is run once more")
            code = self._pytest(part, noted, "--last-failed")
        found = outcomes.read(noted)
        nothing_left = code == pytest.ExitCode.NO_TESTS_COLLECTED and bool(found) and self._resume
        passed = (code == 0 or nothing_left) and outcomes.FAILED not in found.values()
        noted.with_suffix(".passed").unlink(missing_ok=True)
        if passed:
            noted.with_suffix(".passed").touch()
        broken = () if passed else (part.name,)
        result = Result(part.name, time.monotonic() - began, Counter(found.values()), second, broken)
        self._say(f"  {result}")
        return result

    def _pytest(self, part: Part, noted: Path, *more: str) -> int:
        core = ("-m", "core") if self._core else ()
        argv = [sys.executable, "-u", "-m", "pytest", *part.paths, *part.options, *more, *core]
        argv += ["-p", "tests.outcomes", "--outcomes", str(noted), "-o", f"cache_dir={noted.with_suffix('.cache')}"]
        with subprocess.Popen(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout
            for line in process.stdout:
                self._say(f"{part.name:9} {line.rstrip()}")
        return process.returncode

    def _say(self, text: str) -> None:
        with self._printing:
            print(text, flush=True)


def closing(results: Iterable[Result]) -> str:
    """The last line, in the form of pytest's own."""
    results = list(results)
    counts = sum((Counter(result.counts) for result in results), Counter())
    seconds = sum(result.seconds for result in results)
    kinds = (outcomes.FAILED, outcomes.PASSED, outcomes.SKIPPED)
    counted = ", ".join(f"{counts[how]} {how}" for how in kinds if counts[how]) or "no tests ran"
    return f" {counted} in {seconds:.2f}s ({timedelta(seconds=round(seconds))}) ".center(80, "=")


def tallied(path: Path | None, results: Sequence[Result]) -> list[Result]:
    """These results after those that the file holds already; the file then holds all of them."""
    if path is None:
        return list(results)
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(msgspec.json.Encoder().encode_lines(results).decode())
    return msgspec.json.Decoder(Result).decode_lines(path.read_text())


def main(words: Sequence[str]) -> int:
    """Runs what the command line asks for. Returns 0 when all of it passed, with two second tries at most."""
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description="Runs suites of tests.")
    parser.add_argument("suites", nargs="+", choices=SUITES, metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--core", action="store_true", help="only one test of each kind: those marked core")
    parser.add_argument("--resume", action="store_true", help="only what has not passed yet at this commit")
    parser.add_argument(
        "--tally",
        type=Path,
        metavar="FILE",
        help=f"run what fails once more; more than {MOST_SECOND_TRIES} second tries fail, those in FILE included",
    )
    asked = parser.parse_args(words)
    folder = results_folder()
    folder.mkdir(parents=True, exist_ok=True)
    resume = asked.resume and not folder.name.endswith(("-dirty", "none"))
    run = Run(folder, core=asked.core, retry=asked.tally is not None, resume=resume)
    results = [run.suite(name) for name in asked.suites]
    every = tallied(asked.tally, results)
    second = [test for result in every for test in result.second]
    for result in every:
        print(result)
    if asked.tally:
        print(f"{len(second)} tests needed a second try; {MOST_SECOND_TRIES} may")
    print(closing(results))
    return int(any(result.broken for result in results) or len(second) > MOST_SECOND_TRIES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
