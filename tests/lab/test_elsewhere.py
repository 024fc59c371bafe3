"""Another site works unchanged: other names and addresses, four nodes, a sudo user on port 2222, a jump host."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.conftest import ROOT, both_transports, running
from tests.lab.typed import Typed

NAME = "t-elsewhere"
INVENTORY = Path("tests", "lab", "elsewhere")
SECONDS = 600
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = ("kubelet", "kube-proxy")


def invoke(*words: str) -> subprocess.CompletedProcess[str]:
    """A command as a user types it, with this inventory."""
    command, *rest = words
    argv = [sys.executable, "-m", "invoke", command, "--inventory", str(INVENTORY), "--lab", NAME, *rest]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.fixture(scope="module", autouse=True)
def elsewhere() -> Iterator[None]:
    """That site's hosts, deployed."""
    with running(NAME, ROOT / INVENTORY):
        deployed = invoke("deploy")
        assert deployed.returncode == 0, deployed.stdout[-4000:] + deployed.stderr[-4000:]
        yield


def test_a_second_deploy_has_nothing_to_do() -> None:
    again = invoke("deploy", "--json")
    assert again.returncode == 0, again.stderr
    hosts = json.loads(again.stdout)["hosts"]
    assert {name: (h["status"], h["connections"], h["execs"]) for name, h in hosts.items()} == dict.fromkeys(
        ("gate", "web1", "node1", "node2", "node3", "node4"), ("ok", 1, 1)
    )


def test_jump_hosts_and_sudo_work_over_kept_connections() -> None:
    for connections in (1, 0):
        quiet = invoke("deploy", "--json", "--transport", "openssh")
        assert quiet.returncode == 0, quiet.stderr
        hosts = json.loads(quiet.stdout)["hosts"]
        costs = {(host["status"], host["connections"], host["execs"]) for host in hosts.values()}
        assert costs == {("ok", connections, 1)}


@both_transports
def test_every_promise_is_kept_there_too(transport: str) -> None:
    verified = invoke("verify", "--transport", transport)
    assert verified.returncode == 0, verified.stdout[-6000:] + verified.stderr[-2000:]


def test_no_text_of_the_inventory_is_run_anywhere() -> None:
    shown = json.loads(invoke("hosts", "--pattern", "node1", "--json").stdout)
    text = shown["hosts"]["node1"]["variables"]["hostile"]
    assert "{{ 7 * 7 }}" in text
    site = Typed(NAME)
    for host in ("gate", "web1", "node1", "node4"):
        assert site.on(host, "find / -xdev -name 'hostile*' -not -path '/proc/*'") == ""
    for host, programs in {"node1": (*CONTROL_PLANE, *NODE), "node4": NODE}.items():
        for program in programs:
            argv = site.on(host, f"tr '\\0' '\\n' </proc/$(pgrep -of '^[^ ]*/{program} ')/cmdline")
            assert f"--vmodule={text}=1" in argv.splitlines()
    kubelet = yaml.safe_load(site.on("node4", "cat /opt/kubernetes/server/bin/conf/kubelet.yaml"))
    assert kubelet["volumePluginDir"] == f"/data/{text}"


def test_a_limit_reaches_one_node_through_the_jump_host() -> None:
    answered = invoke("run", "--limit", "nodes[-1]", "--", "id -un; hostname")
    assert answered.returncode == 0, answered.stderr
    assert "root" in answered.stdout
    assert "node4" in answered.stdout
