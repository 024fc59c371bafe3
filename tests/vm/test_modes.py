"""kube-proxy's modes on a kernel of its own, each after the other: what answers, from where, and what is left.

The tests run in this order; each begins with the mode that it is about.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator

import pytest

from tests.lab.typed import KUBECTL
from tests.verify.wire import lookup
from tests.vm.conftest import ADDRESS, EDGE, MACHINE, MASTER, Bench

HOUR = 3600
NODE_PORT = 8000
SUMMED = 20  # seconds until the kernel has surely counted a connection
API, DNS = "192.168.0.1", "192.168.0.2"
# Which modes' traces the kernel holds, by what only that mode makes.
HELD = """
ip link show kube-ipvs0 >/dev/null 2>&1 && echo ipvs
ipset list -n 2>/dev/null | grep -q ^KUBE- && echo ipvs
grep -qE '^(TCP|UDP) ' /proc/net/ip_vs 2>/dev/null && echo ipvs
iptables-save | grep -qE '^:KUBE-(IPVS-|NODE-PORT|LOAD-BALANCER)' && echo ipvs
iptables-save | grep -qE '^:KUBE-(SVC|SEP|EXT)-' && echo iptables
nft list tables | grep -q ' kube-proxy$' && echo nftables
true"""


def held(bench: Bench) -> set[str]:
    return set(bench.on(MACHINE, HELD).split())


def without_pods(bench: Bench) -> set[str]:
    """The virtual servers of these services that are missing, or that no pod is behind yet."""
    wanted = (f"TCP  {API}:443 nq", f"TCP  {DNS}:53 nq", f"UDP  {DNS}:53 nq", f"TCP  {ADDRESS}:{NODE_PORT} nq")
    found = bench.on(MACHINE, "ipvsadm -Ln").replace(" \n", "\n")
    return {server for server in wanted if f"{server}\n  -> " not in found}


def await_nothing(look: Callable[[], Collection[str]], seconds: float = 600) -> None:
    """Waits until `look` finds nothing more: an emulated processor takes its time. The test fails with the rest."""
    deadline = time.monotonic() + seconds
    while (found := look()) and time.monotonic() < deadline:
        time.sleep(1)
    assert not found


def on_loopback(bench: Bench) -> str:
    """What the node port on 127.0.0.1 gives on the machine itself: curl's exit code."""
    return bench.on(MACHINE, f"curl -s -m 5 -o /dev/null http://127.0.0.1:{NODE_PORT}/; echo $?")


def unanswered(bench: Bench) -> list[str]:
    """The protocols by which the edge gets no right answer from the cluster's DNS, each with what came."""
    name = "kubernetes.default.svc.cluster.local"
    asked = {protocol: bench.on(EDGE, f"{lookup(DNS, name, protocol)} 2>&1 || :") for protocol in ("udp", "tcp")}
    return [f"{protocol}: {came}" for protocol, came in asked.items() if came != f"0 {API}"]


def check_answers_another_host(bench: Bench) -> None:
    """The API, DNS over both protocols and the node port, asked by a host that is no node, through the machine.

    A virtual server is there before the rule that masquerades what comes to it: kube-proxy writes its rules last, which
    takes an emulated processor seconds. A connection begun in between stays without an answer; the next one has it. A
    CoreDNS that had no processor for a moment is no endpoint until it is ready again.
    """
    curl = "curl -sSk -m 10 --retry 6 --retry-all-errors --retry-delay 2 -o /dev/null -w '%{http_code}'"
    assert bench.on(EDGE, f"ip route get {API}").split()[1:3] == ["via", ADDRESS]
    assert bench.on(EDGE, f"{curl} https://{API}/livez") == "200"
    await_nothing(lambda: unanswered(bench))
    assert bench.on(EDGE, f"{curl} http://{ADDRESS}:{NODE_PORT}/") == "200"


def shares(bench: Bench, requests: int = 6) -> list[int]:
    """How many of so many requests, one after the other, each pod behind nginx-dp got from ipvs; fewest first.

    What ipvsadm shows is summed up every other second (ip_vs_est.c), so all of them are waited for.
    """
    service = bench.on(MASTER, f"{KUBECTL} -n kube-public get service nginx-dp -o 'jsonpath={{.spec.clusterIP}}'")
    look = f"ipvsadm -Ln --stats --exact -t {service}:80"
    before = counts(bench.on(MACHINE, look))
    ask = f"curl -sS -m 10 -o /dev/null http://{service}/"
    bench.on(EDGE, f"for i in $(seq {requests}); do {ask} || exit 1; done")
    deadline = time.monotonic() + SUMMED
    while True:
        got = [number - before.get(pod, 0) for pod, number in counts(bench.on(MACHINE, look)).items()]
        if sum(got) >= requests or time.monotonic() > deadline:
            return sorted(got)


def counts(stats: str) -> dict[str, int]:
    """Connections so far to each pod."""
    return {pod: int(number) for pod, number in re.findall(r"-> (\S+:80) +(\d+)", stats)}


def broken(bench: Bench) -> list[str]:
    """The promises about the machine that do not hold."""
    verified = bench.site("verify", "--limit", MACHINE)
    found = [line for line in verified.output.splitlines() if line.startswith("! ")]
    assert verified.code == bool(found), str(verified)
    return found


@pytest.fixture
def clock(bench: Bench) -> Iterator[None]:
    """The machine's clock is right again afterwards."""
    yield
    bench.on(MACHINE, f"date -s @{time.time():.0f}")


@pytest.mark.core
def test_ipvs_serves_node_ports_and_cluster_addresses_to_other_hosts(bench: Bench) -> None:
    await_nothing(lambda: without_pods(bench))
    check_answers_another_host(bench)
    await_nothing(lambda: broken(bench))
    assert held(bench) == {"ipvs"}


def test_nothing_to_do_is_one_exec_there_too(bench: Bench) -> None:
    before = bench.sessions(MACHINE)
    again = bench.deploy("ipvs", "nq")
    assert (again["status"], again["connections"], again["execs"]) == ("ok", 1, 1)
    after = bench.sessions(MACHINE)
    assert (after[0] - before[0], after[1] - before[1]) == (2, 2)  # one is this second look: it comes by ssh as well


def test_ipvs_serves_no_node_port_on_the_loopback_address(bench: Bench) -> None:
    assert on_loopback(bench) == "7"  # refused


def test_an_idle_nq_sends_everything_to_one_pod_and_rr_takes_turns(bench: Bench) -> None:
    assert shares(bench) == [0, 6]
    changed = bench.deploy("ipvs", "rr")
    assert "ProxyMode kube-proxy-7-23" not in [change["resource"] for change in changed["changes"]]
    assert f"TCP  {API}:443 rr" in bench.on(MACHINE, "ipvsadm -Ln")
    assert shares(bench) == [3, 3]


@pytest.mark.core
@pytest.mark.usefixtures("clock")
def test_iptables_replaces_ipvs_with_the_clock_an_hour_ahead(bench: Bench) -> None:
    bench.on(MACHINE, f"date -s @{time.time() + HOUR:.0f}")
    bench.deploy("iptables")
    assert held(bench) == {"iptables"}
    check_answers_another_host(bench)
    assert on_loopback(bench) == "0"
    await_nothing(lambda: {line for line in broken(bench) if "60 min ahead" not in line})
    assert [line for line in broken(bench) if "60 min ahead" in line]


@pytest.mark.usefixtures("clock")
def test_nftables_replaces_iptables_with_the_clock_behind(bench: Bench) -> None:
    bench.on(MACHINE, f"date -s @{time.time() - HOUR:.0f}")
    bench.deploy("nftables")
    assert held(bench) == {"nftables"}
    check_answers_another_host(bench)
    assert on_loopback(bench) == "7"
    await_nothing(lambda: {line for line in broken(bench) if "60 min behind" not in line})
    assert [line for line in broken(bench) if "60 min behind" in line]


def test_ipvs_takes_over_from_nftables_and_comes_back_with_the_host(bench: Bench) -> None:
    bench.deploy("ipvs", "rr")
    assert held(bench) == {"ipvs"}
    rebooted = bench.invoke("lab.reboot", MACHINE)
    assert rebooted.code == 0, str(rebooted)
    await_nothing(lambda: broken(bench))
    check_answers_another_host(bench)
