"""Many small hosts: the ill ones are named and hold nobody up; a lost worker's hosts go on with another one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.scale.cluster import URL, Cluster, cluster
from bench.scale.farm import Farm, farm
from lab.artifacts.rootfs import host_tree
from tests.lab.conftest import both_transports

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "bench/scale/project"
CANARY = "canary-of-many-hosts"  # the sudo password: it is in every task
TIMEOUT = 8  # seconds to connect
LIMIT = "small-000?"
DONE = re.compile(r"[+~] small-\d+ .* (created|updated) ")
BUSY = 5  # so many times longer may everything take on a machine that does other things


@pytest.fixture(scope="module")
def small() -> Iterator[Farm]:
    with farm("t-many", 50, host_tree()) as made:
        yield made


def inventory(small: Farm, greeting: str) -> Path:
    return small.inventory(
        small.folder / "hosts.yml",
        ansible_timeout=str(TIMEOUT),
        ansible_become="true",
        ansible_become_password=CANARY,
        small=f"{{greeting: {greeting}, files: 2}}",
    )


def command(small: Farm, *words: str) -> list[str]:
    place = ["--project", str(PROJECT), "--inventory", str(small.folder / "hosts.yml")]
    return [*small.inside, sys.executable, "-m", "invoke", *words, *place]


def ran(small: Farm, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(small, *words), cwd=ROOT, capture_output=True, text=True, timeout=400, check=False, env=env
    )


@both_transports
def test_ill_hosts_are_named_and_the_rest_is_done(small: Farm, transport: str) -> None:
    inventory(small, f"by-{transport}")
    names = list(small.hosts)
    dead, frozen, wrong = names[3:5], names[20:22], names[40:41]
    known = small.known_hosts.read_text()
    small.silence(dead)
    small.mistake(wrong)
    for name in frozen:
        small.stop(name, signal.SIGSTOP)
    try:
        done = ran(small, "deploy", "--json", "--workers", "2", "--transport", transport)
        plain = ran(small, "plan", "--transport", transport)
    finally:
        for name in frozen:
            small.stop(name, signal.SIGCONT)
        subprocess.run([*small.inside, "nft", "delete", "table", "ip", "ill"], check=True)
        small.known_hosts.write_text(known)
        ran(small, "hosts.disconnect")
    report = json.loads(done.stdout)
    assert report["exit"] == done.returncode == plain.returncode == 3
    found = {
        name: host["error"]["what"] + ": " + host["error"]["found"]
        for name, host in report["hosts"].items()
        if host["error"]
    }
    assert set(found) == {*dead, *frozen, *wrong}
    assert all("no answer within the connect timeout" in found[name] for name in dead)
    assert all("sshd sends nothing" in found[name] for name in frozen)
    assert "the host key has changed" in found[wrong[0]]
    assert Counter(host["status"] for host in report["hosts"].values()) == {"changed": 45, "unreachable": 5}
    # each within its deadline and the time that its turn takes to come, whatever became of the others
    assert max(report["hosts"][name]["seconds"] for name in found) < BUSY * TIMEOUT
    ending = [line for line in (plain.stdout + plain.stderr).splitlines() if line and not line.startswith("! ")]
    assert len(ending) <= 10, ending
    assert all(name in plain.stderr for name in found)


def test_every_host_of_a_quiet_run_costs_one_exec(small: Farm) -> None:
    inventory(small, "first")
    assert ran(small, "deploy").returncode == 0
    report = json.loads(ran(small, "deploy", "--json", "--workers", "2").stdout)
    costs = Counter((host["status"], host["connections"], host["execs"]) for host in report["hosts"].values())
    assert costs == {("ok", 1, 1): 50}


def interrupted(small: Farm, made: Cluster, greeting: str, harm: Callable[[], None]) -> tuple[int, str]:
    """A deploy to nine hosts over the scheduler, harmed once its first change is done."""
    inventory(small, greeting)
    argv = command(small, "deploy", "--limit", LIMIT, "--scheduler", URL, "--verbose")
    said: list[str] = []
    harmed = False
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        env=dict(made.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        limit = threading.Timer(300, run.kill)
        limit.start()
        assert run.stdout
        for line in run.stdout:
            said.append(line)
            if DONE.match(line) and not harmed:
                harm()
                harmed = True
        limit.cancel()
    return run.returncode, "".join(said)


def changed_once(small: Farm) -> None:
    """Every change of the last run is in its host's journal once, and ended well."""
    for number in range(1, 10):
        journals = small.files(f"small-{number:04}") / "var/lib/provision/journal"
        lines = [json.loads(line) for line in max(journals.iterdir()).read_text().splitlines()]
        keys = {line["n"]: line["key"] for line in lines if "key" in line}
        good = Counter(keys[line["n"]] for line in lines if line.get("code") == 0)
        assert good
        assert set(good.values()) == {1}
        assert any("ended" in line for line in lines)


def secrets_in(made: Cluster) -> list[str]:
    return [log.name for log in made.logs.glob("*.log") if CANARY in log.read_text(errors="replace")]


def test_hosts_of_a_killed_worker_go_on_with_another(small: Farm) -> None:
    with cluster(small, 2) as made:
        code, said = interrupted(small, made, "second", lambda: made.kill(0))
        assert code == 0, said
        assert "taken over by another worker" in said
        changed_once(small)
        assert secrets_in(made) == []
        assert CANARY not in said


def test_hosts_of_a_worker_that_is_cut_off_go_on_with_another(small: Farm) -> None:
    with cluster(small, 2) as made:
        code, said = interrupted(small, made, "third", lambda: made.cut(1))
        assert code == 0, said
        assert "taken over by another worker" in said
        changed_once(small)


def test_a_lost_scheduler_ends_the_run_and_the_next_goes_on(small: Farm) -> None:
    with cluster(small, 2) as made:
        began = time.monotonic()
        code, said = interrupted(small, made, "fourth", made.scheduler.kill)
        assert code == 1, said
        assert "no worker is left" in said
        assert time.monotonic() - began < 200
    assert ran(small, "deploy", "--limit", LIMIT).returncode == 0
