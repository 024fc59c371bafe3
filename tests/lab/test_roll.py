"""Nodes change one after the other while clients ask: nobody notices, and what goes wrong stops at the first."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.lab.clients import LEAST, clients
from tests.lab.conftest import ROOT
from tests.lab.typed import NAME, invoke, on

pytestmark = pytest.mark.usefixtures("site")

OTHER = ("--extra-vars", "traefik.log_level=DEBUG")
BROKEN = ("--extra-vars", '{"traefik": {"trusted": ["not-an-address"], "ready_timeout": 10}}')
NO_START = ("--extra-vars", '{"kube_proxy": {"flags": {"no-such-flag": "x"}}}')


def drained() -> str:
    """The nodes that the edge leaves out."""
    return on("hdss7-11", "cat /var/lib/provision/stamps/drained 2>/dev/null; true")


@pytest.mark.parametrize("words", [OTHER, ()], ids=["there", "and back"])
def test_a_changed_traefik_argument_reaches_every_node_without_one_failed_request(words: tuple[str, ...]) -> None:
    with clients(NAME) as prober:
        deployed = invoke("deploy", *words)
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert re.findall(r"^(\S+): out,", deployed.output, re.M) == ["hdss7-21", "hdss7-22"]
    assert receipt.failures == 0, receipt
    assert receipt.rate >= LEAST * receipt.asked, receipt
    assert drained() == ""


@pytest.mark.parametrize(
    ("words", "resource", "said"),
    [
        (BROKEN, "Manifests traefik", "not-an-address"),
        (NO_START, "File /opt/kubernetes/server/bin/kube-proxy.sh", "supervisor gave up on kube-proxy-7-21"),
    ],
    ids=["traefik", "kube-proxy"],
)
def test_what_can_not_start_is_taken_back_at_the_first_node_with_the_site_answering(
    words: tuple[str, ...], resource: str, said: str
) -> None:
    with clients(NAME) as prober:
        failed = invoke("deploy", "--json", *words)
        receipt = prober.receipt()
    assert failed.code == 1, str(failed)
    assert receipt.failures == 0, receipt
    host = failed.document["hosts"]["hdss7-21"]
    assert resource in {change["resource"] for change in host["undone"]}
    assert host["changes"] == []
    assert said in host["error"]["found"]
    assert "is taken back: it answers as before" in host["error"]["found"]
    assert "hdss7-22: out" not in failed.errors
    assert "Traceback" not in failed.errors
    assert drained() == ""
    (rolled,) = failed.document["rolled"]
    assert rolled["failures"] == 0
    assert [(window["host"], window["back"] is None) for window in rolled["windows"]] == [("hdss7-21", False)]
    assert invoke("plan", "--json").changes == set()
    again = invoke("plan", "--json", *words)
    assert resource in {name for _, name in again.changes}, str(again)
    run = re.search(r"runs/([^/]+)/receipt.json", failed.errors)
    assert run, failed.errors
    told = invoke("history", "--run", run[1]).output
    assert "(taking it back)" in told
    assert "hdss7-21 out from" in told


def test_a_roll_that_costs_more_requests_than_may_fail_stops_and_goes_back() -> None:
    argv = [sys.executable, "-m", "invoke", "deploy", "--lab", NAME, *OTHER]
    loss = "-p tcp --dport 81 -s 10.4.7.11 -j DROP"
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout
        told = []
        for line in run.stdout:
            told.append(line)
            if line.startswith("hdss7-21: out") and len(re.findall("hdss7-21: out", "".join(told))) == 1:
                # the only node that still serves is cut off from the edge for a moment
                on("hdss7-22", f"iptables -t raw -I PREROUTING {loss}; sleep 5; iptables -t raw -D PREROUTING {loss}")
    output = "".join(told)
    assert run.returncode == 1, output
    assert re.search(r"\d+ requests failed while the change was rolled, and 1 may", output), output
    assert "is taken back: it answers as before" in output
    assert "hdss7-22: out" not in output
    assert drained() == ""
    assert invoke("plan", "--json").changes == set()


def test_a_run_killed_with_a_node_out_is_finished_by_the_next_one() -> None:
    argv = [sys.executable, "-m", "invoke", "deploy", "--lab", NAME, *OTHER]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout
        for line in run.stdout:
            if line.startswith("hdss7-21: out"):
                os.kill(run.pid, signal.SIGKILL)
                break
    assert drained().startswith("hdss7-21=")
    with clients(NAME) as prober:
        resumed = invoke("deploy", "--wait", "60")
        receipt = prober.receipt()
    assert resumed.code == 0, str(resumed)
    assert receipt.failures == 0, receipt
    assert drained() == ""
    verified = invoke("verify")
    assert verified.code == 0, str(verified)
