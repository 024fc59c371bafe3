"""`make bench-peers`: this toolkit beside Ansible, pyinfra and bundlewrap on a lab of its own, as tables of a page.

Their environments are made from the locks in bench/peers/locks, in the cache.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from bench.clock import ROOT, Sample
from bench.peers import ansible, bundlewrap, hdss7, processes, pyinfra
from bench.peers.contestant import LOCKS, Contestant, Hosts, environment
from bench.peers.floors import floors
from bench.peers.hosts import ready
from bench.peers.infra import ways
from bench.peers.race import Race
from bench.peers.table import Circumstances, FloorRow, InfraRow, Row, report, write
from provision.errors import ProvisionError

EVERYONE: Mapping[str, Callable[[Path, Hosts], Contestant]] = {
    "hdss7": hdss7.hdss7,
    "hdss7-asking": hdss7.hdss7_asking,
    "ansible": ansible.ansible,
    "mitogen": ansible.mitogen,
    "ansible-rs": ansible.ansible_core_rs,
    "pyinfra": pyinfra.pyinfra,
    "pyinfra-nodelay": pyinfra.pyinfra_nodelay,
    "bundlewrap": bundlewrap.bundlewrap,
}
ROUNDS = 5
PAGE = ROOT / "docs/performance.md"
NAMED = re.compile(r"^(ansible-core|ansible-core-rs|mitogen|pyinfra|bundlewrap)==(\S+)", re.M)


def main(words: Sequence[str]) -> int:
    """Measures and prints; a run of everyone is written into the page as well."""
    typed = _options().parse_args(words)
    names = typed.only or list(EVERYONE)
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:  # a short path: sockets have to fit
        work = Path(folder)
        home = work / "home"
        home.mkdir()
        with ready(work) as hosts:
            race = Race(
                hosts,
                [EVERYONE[name](work, hosts.hosts) for name in names],
                floors(work, hosts.hosts),
                environment(home, os.environ),
            )
            processes.adopt()
            with hosts.beside():
                race.set_up()
                tested = [(way, list[Sample]()) for way in ways(work, hosts.hosts)] if not typed.only else []
                for number in range(typed.rounds):
                    race.round(number)
                    for way, samples in tested:
                        samples.append(way.run(race.environment))
    rows = [
        Row(each.title, race.samples[each.name], race.sessions[each.name], each.ours)
        for each in sorted(race.contestants, key=lambda each: each.ours)
    ]
    lines = [FloorRow(title, samples) for title, samples in race.floors.items()]
    about = Circumstances(_machine(), f"{date.today()}", typed.rounds, _versions(), race.absent)
    tests = [InfraRow(way.title, samples, way.ours) for way, samples in tested]
    text = report(rows, lines, tests, about)
    print(f"\n{text}")
    if not typed.only and not typed.print_only:
        write(PAGE, text)
        print(f"written into {PAGE.relative_to(ROOT)}")
    return 0


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench.peers", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"by default {ROUNDS}")
    options.add_argument("--only", nargs="+", choices=EVERYONE, metavar="NAME", help=f"of {', '.join(EVERYONE)}")
    options.add_argument("--print-only", action="store_true", help=f"leave {PAGE.relative_to(ROOT)} as it is")
    return options


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    models = re.findall(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    model = models[0] if models else platform.machine()
    cores = len(os.sched_getaffinity(0))
    return f"one machine with {cores} cores ({model}) and {memory:.0f} GiB, Linux {platform.release()}"


def _versions() -> Sequence[str]:
    """Of everything that took part."""
    locks = "".join(path.read_text() for path in sorted(LOCKS.glob("*.lock")))
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr.split(",")[0]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    own = f"this toolkit at {commit}" if commit else "this toolkit"
    paramiko = importlib.metadata.version("paramiko")
    return [
        own,
        *(f"{name} {version}" for name, version in NAMED.findall(locks)),
        f"paramiko {paramiko}",
        ssh.replace("_", " ").strip(),
        f"Python {platform.python_version()}",
    ]


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except ProvisionError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
