"""What a kernel holds for Services, against the API: stale rules are named and removed, all others stay.

Each test leaves the site as declared.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.lab.typed import KUBECTL, invoke, on, sessions

pytestmark = pytest.mark.usefixtures("site")

NODE, OTHER = "hdss7-22", "hdss7-21"
PROGRAM = "kube-proxy-7-22"
SERVICE = "kube-public/gone"
FOREIGN = "-d 192.168.77.77 -p tcp --dport 80 -j DNAT --to-destination 10.4.7.200:80"
ORPHAN = "KUBE-SEP-AAAABBBBCCCCDDDD"  # a chain that nothing leads to
BY_HAND = f"""
iptables -t nat -A KUBE-SERVICES {FOREIGN}
iptables -t nat -N {ORPHAN}
iptables -N KUBE-IPVS-FILTER
iptables -I INPUT -m comment --comment 'as kube-proxy in mode ipvs has it' -j KUBE-IPVS-FILTER
iptables -N KUBE-ROUTER-INPUT
nft add table ip kube-proxy
"""


def rules(host: str) -> list[Mapping[str, Any]]:
    looked = invoke("proxy.rules", "--limit", host, "--json")
    assert looked.code == 0, str(looked)
    found: list[Mapping[str, Any]] = looked.document["hosts"][host]["rules"]
    return found


def stale(host: str) -> set[tuple[str, str]]:
    """(where, why) of every stale rule."""
    return {(rule["asked"] or rule["at"], rule["why"]) for rule in rules(host) if rule["state"] == "stale"}


def await_on(host: str, script: str, seconds: float = 30) -> str:
    """What a script prints once it prints something."""
    deadline = time.monotonic() + seconds
    while not (said := on(host, f"{{ {script}; }} || true")):
        assert time.monotonic() < deadline, f"{host}: {script}"
        time.sleep(0.2)
    return said


@pytest.fixture(scope="module", autouse=True)
def nft(site: None) -> None:
    """A node that ran in mode nftables once has nft; without it nobody could have left a table."""
    on(NODE, "command -v nft || DEBIAN_FRONTEND=noninteractive apt-get -q -y install nftables")


@pytest.fixture(scope="module")
def unattended() -> Iterator[str]:
    """A node whose kube-proxy was stopped before a Service went, with things written by hand. Gives its address."""
    expose = f"{KUBECTL} -n kube-public expose deployment nginx-dp --name=gone --port=80"
    address = on(OTHER, f"{expose} -o 'jsonpath={{.spec.clusterIP}}'")
    await_on(NODE, f"iptables-save -t nat | grep -e '-d {address}/32 .*-j KUBE-SVC-'")
    on(NODE, f"supervisorctl stop {PROGRAM}; {BY_HAND}")
    on(OTHER, f"{KUBECTL} -n kube-public delete service gone")
    yield address
    on(
        NODE,
        f"iptables -t nat -D KUBE-SERVICES {FOREIGN}; iptables -X KUBE-ROUTER-INPUT; supervisorctl start {PROGRAM}",
    )
    await_on(NODE, "curl -fs 127.0.0.1:10256/healthz")
    mended = invoke("deploy")  # where the test that cleans was not among those run
    assert mended.code == 0, str(mended)


def test_a_sound_nodes_rules_are_known_at_one_exec_a_host() -> None:
    before = {host: sessions(host) for host in (OTHER, NODE)}
    looked = invoke("proxy.rules", "--json")
    assert looked.code == 0, str(looked)
    for host, said in looked.document["hosts"].items():
        assert (said["status"], said["mode"], said["connections"], said["execs"]) == ("ok", "iptables", 1, 1)
        known = [rule for rule in said["rules"] if rule["state"] == "known"]
        assert {"default/kubernetes:https", "kube-system/coredns:dns"} <= {rule["service"] for rule in known}
        # Traefik's hostPort is the network plugin's
        assert [rule["asked"] for rule in said["rules"] if rule not in known] == ["*:81/tcp"]
        logins, executed = sessions(host)
        assert (logins - before[host][0], executed - before[host][1]) == (1, 1), host
    assert set(looked.document["hosts"]) == {OTHER, NODE}


def test_a_deploy_ends_an_orphan_and_removes_another_modes_table() -> None:
    on(NODE, "cp /bin/sleep /run/kube-proxy && setsid -f /run/kube-proxy 300 </dev/null >/dev/null 2>&1")
    await_on(NODE, "ls -l /proc/[0-9]*/exe 2>/dev/null | grep /run/kube-proxy")
    on(NODE, "rm /run/kube-proxy; nft add table ip6 kube-proxy")
    planned = invoke("plan", "--json")
    assert planned.code == 2, str(planned)
    purge = "Command flush untranslated conntrack entries"
    assert planned.changes == {(NODE, f"ProxyMode {PROGRAM}"), (NODE, f"Program {PROGRAM}"), (NODE, purge)}
    change = planned.document["hosts"][NODE]["changes"][0]
    assert change["summary"].startswith("remove what other modes left: 1 nft table; end ")
    assert "-table ip6" in change["diff"]
    mended = invoke("deploy", "--limit", NODE, "--json")
    assert mended.code == 0, str(mended)
    assert on(NODE, "nft list tables | grep kube-proxy || true") == ""
    assert on(NODE, "ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c kube-proxy") == "1"
    assert invoke("plan").code == 0


def test_rules_of_a_gone_service_and_of_other_modes_are_stale(unattended: str) -> None:
    assert stale(NODE) == {
        (f"{unattended}:80/tcp", f"Service {SERVICE} is gone"),
        (ORPHAN, "nothing leads to it"),
        ("chain KUBE-IPVS-FILTER iptables filter", "left by mode ipvs; iptables is in use"),
        ("table ip kube-proxy", "left by mode nftables; iptables is in use"),
    }
    shown = invoke("proxy.rules", "--limit", NODE)
    assert re.search(rf"^{NODE}: .*kube-proxy", shown.output, re.M), shown.output
    assert stale(OTHER) == set()


def test_check_shows_the_stale_rules_alone_and_changes_nothing(unattended: str) -> None:
    before = on(NODE, "iptables-save | grep -v '^[#:]'; nft list tables")
    shown = invoke("proxy.clean", "--limit", NODE, "--check")
    assert shown.code == 2, str(shown)
    assert f"Service {SERVICE} is gone" in shown.output
    assert "known" not in shown.output.rpartition("\n")[0].partition("proxy.clean:")[0]
    assert on(NODE, "iptables-save | grep -v '^[#:]'; nft list tables") == before


def test_a_node_that_another_run_changes_is_left_alone_and_named(unattended: str) -> None:
    on(NODE, "setsid -f flock /run/provision.lock sleep 300 </dev/null >/dev/null 2>&1")
    await_on(NODE, "flock -n /run/provision.lock true || echo held")
    try:
        refused = invoke("proxy.clean", "--limit", NODE, "--json")
    finally:
        on(NODE, "kill $(pgrep -x -f 'sleep 300')")
    assert refused.code == 1, str(refused)
    assert refused.document["hosts"][NODE]["error"] is not None
    assert refused.changes == set()
    assert "removed" not in refused.errors
    assert len(stale(NODE)) == 4


def test_clean_saves_the_rules_and_removes_the_stale_ones_alone(unattended: str) -> None:
    kept = [rule for rule in rules(NODE) if rule["state"] != "stale"]
    cleaned = invoke("proxy.clean", "--limit", NODE, "--json")
    assert cleaned.code == 0, str(cleaned)
    said = cleaned.document["hosts"][NODE]
    assert (said["status"], said["connections"], said["execs"]) == ("changed", 1, 1)
    assert said["rules"] == kept
    held = on(NODE, "iptables-save; nft list tables")
    for gone in (unattended, ORPHAN, "KUBE-IPVS-FILTER", "table ip kube-proxy"):
        assert gone not in held
    assert "-d 192.168.77.77/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.4.7.200:80" in held
    assert ":KUBE-ROUTER-INPUT - " in held
    assert ":KUBE-KUBELET-CANARY - " in held
    saved = on(NODE, "ls -1d /var/lib/provision/kube-proxy/*/ | tail -n 1")
    assert unattended in on(NODE, f"cat {saved}iptables")
    # what is left still works, with kube-proxy stopped
    assert "200" in on(OTHER, "curl -s -m 5 -o /dev/null -w '%{http_code}' http://10.4.7.22:8000/")
    again = invoke("proxy.clean", "--limit", NODE)
    assert again.code == 0, str(again)
    assert "removed" not in again.output
