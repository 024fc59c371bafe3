"""Nodes change one after the other while clients ask: nobody notices, and what goes wrong stops at the first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.clients import LEAST, clients
from tests.lab.running import Ended, drained
from tests.lab.typed import BIN, KUBECTL, NAME, SITE, invoke, on
from tests.readme import paste_application

pytestmark = pytest.mark.usefixtures("site")

OTHER = ("--extra-vars", "traefik.log_level=DEBUG")
BROKEN = ("--extra-vars", '{"traefik": {"trusted": ["1:2:3"], "ready_timeout": 10}}')
LEFT = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: left}\n"
NO_START = ("--extra-vars", '{"kube_proxy": {"flags": {"no-such-flag": "x"}}}')


def left_out() -> str:
    """The nodes that the edge leaves out."""
    return on("hdss7-11", "cat /var/lib/provision/stamps/drained 2>/dev/null; true")


def taken_out(deployed: Ended) -> list[str]:
    """The nodes that a run took out, in that order, as its receipts have them."""
    return [window["host"] for rolled in deployed.document["rolled"] for window in rolled["windows"]]


def rolled(*words: str) -> Ended:
    """A deploy of another Traefik argument, that no client noticed."""
    with clients(NAME) as prober:
        deployed = invoke("deploy", "--json", *words)
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert taken_out(deployed) == ["hdss7-21", "hdss7-22"]
    assert receipt.failures == 0, receipt
    assert receipt.rate >= LEAST * receipt.asked, receipt
    assert left_out() == ""
    return deployed


def test_the_readmes_application_answers_while_traefik_rolls(tmp_path: Path) -> None:
    there = ("--inventory", str(paste_application(tmp_path)))
    published = invoke("deploy", *there)
    assert published.code == 0, str(published)
    assert on("hdss7-200", "curl -s -o /dev/null -w '%{http_code}' http://hello.od.com/") == "200"
    verified = invoke("verify", "-k", "apps or bind", *there)
    assert verified.code == 0, str(verified)
    inventory = Path(there[1])
    variables, manifests = inventory / "group_vars/all/apps.yml", inventory / "apps/hello.yaml"
    asked = variables.read_text().replace("hello.yaml}", "hello.yaml, path: /none, expect: 404}")
    variables.write_text(asked)
    manifests.write_text(manifests.read_text() + LEFT)
    assert invoke("deploy", "--json", *there).changes >= {("hdss7-21", "Command ask application hello")}
    manifests.write_text(manifests.read_text().removesuffix(LEFT))
    pruned = invoke("deploy", "--json", "--prune", *there)
    assert ("hdss7-21", "Manifests app-hello#configmap.default.left") in pruned.changes, str(pruned)
    assert on("hdss7-21", f"{KUBECTL} get configmaps -o name | grep -c left; true") == "0"
    (receipt,) = rolled(*there, *OTHER).document["rolled"]
    (hello,) = receipt["applications"]
    assert (hello["name"], hello["failures"], receipt["failures"]) == ("hello", 0, 0)
    assert hello["requests"] > receipt["requests"] / 4  # a third: as many as for the site, and for the nodes' ports
    back = rolled("--prune")
    assert back.changes >= {("hdss7-11", "ConfigSet /etc/bind"), ("hdss7-21", "Manifests app-hello")}
    assert on("hdss7-21", f"{KUBECTL} get deployments,services,ingresses -A -o name | grep -c hello; true") == "0"
    assert invoke("plan", "--json").changes == set()


@pytest.mark.parametrize(
    ("words", "resource", "said"),
    [
        (BROKEN, "Manifests traefik", "1:2:3"),
        (NO_START, f"File {BIN}/kube-proxy.sh", "supervisor gave up on kube-proxy-7-21"),
    ],
    ids=["traefik", "kube-proxy"],
)
def test_what_cannot_start_is_reverted_at_the_first_node(words: tuple[str, ...], resource: str, said: str) -> None:
    with clients(NAME) as prober:
        failed = invoke("deploy", "--json", *words)
        receipt = prober.receipt()
    assert failed.code == 1, str(failed)
    assert receipt.failures == 0, receipt
    host = failed.document["hosts"]["hdss7-21"]
    assert resource in {change["resource"] for change in host["undone"]}
    assert host["changes"] == []
    assert said in host["error"]["found"]
    assert "Traceback" not in failed.errors
    assert left_out() == ""
    (rolled,) = failed.document["rolled"]
    assert rolled["failures"] == 0
    assert [(window["host"], window["back"] is None) for window in rolled["windows"]] == [("hdss7-21", False)]
    assert invoke("plan", "--json").changes == set()
    again = invoke("plan", "--json", *words)
    assert resource in {name for _, name in again.changes}, str(again)
    run = re.search(r"runs/([^/]+)/receipt.json", failed.errors)
    assert run, failed.errors
    history = invoke("history", "--run", run[1]).output
    assert len([line for line in history.splitlines() if resource in line]) >= 2  # done, and reverted
    assert "hdss7-21 out" in history


def test_a_roll_with_too_many_failures_stops_and_reverts() -> None:
    refusal = "FORWARD -s 10.4.7.11 -p tcp -j REJECT --reject-with tcp-reset"
    run = SITE.start("deploy", "--json", *OTHER)
    run.until(drained("hdss7-21"))
    # the only node that still serves refuses the edge for a moment; packets lost for so long would only delay requests
    on("hdss7-22", f"iptables -I {refusal}; sleep 5; iptables -D {refusal}")
    failed = run.end()
    assert failed.code == 1, str(failed)
    assert failed.document["rolled"][0]["failures"] > 1, str(failed)
    assert set(taken_out(failed)) == {"hdss7-21"}
    assert failed.document["hosts"]["hdss7-21"]["undone"] != []
    assert left_out() == ""
    assert invoke("plan", "--json").changes == set()


def test_a_run_killed_with_a_node_out_is_finished_by_the_next_one() -> None:
    run = SITE.start("deploy", *OTHER)
    run.until(drained("hdss7-21"))
    run.process.kill()
    run.end()
    assert left_out().startswith("hdss7-21=")
    with clients(NAME) as prober:
        resumed = invoke("deploy", "--wait", "60")
        receipt = prober.receipt()
    assert resumed.code == 0, str(resumed)
    assert receipt.failures == 0, receipt
    assert left_out() == ""
    verified = invoke("verify")
    assert verified.code == 0, str(verified)
