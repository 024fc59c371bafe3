"""Changes that nobody notices, each beside the same change made without draining, which has to fail where it must."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lab.state import Lab
from provision.traffic.receipt import Receipt
from tests.lab.clients import NODES, clients, unharmed
from tests.lab.faults import older
from tests.lab.faults.core import rows
from tests.lab.faults.probes import Probe, api, asking, in_pods, node_port, outs
from tests.lab.faults.record import Book, Row
from tests.lab.faults.streams import streams
from tests.lab.faults.testbed import Bench
from tests.lab.running import Ended, Running

Words = tuple[str, ...]
SEEN = 5  # seconds for which clients go on after something was done by hand
FEWER = [f"io.containerd.{name}" for name in ("internal.v1.opt", "snapshotter.v1.native", "tracing.processor.v1.otlp")]
RECEIPT = re.compile(r"^(.+: \d+ requests in .*)$", re.M)


def forced(*words: str) -> Callable[[Bench], Running]:
    """The same by `deploy --force`: nothing is drained, and what can go at once goes at once."""
    return lambda bench: bench.start("deploy", *words)


def deployed(words: Callable[[Bench], Words]) -> Callable[[Bench], Running]:
    """By deploy, as site.yml says."""
    return lambda bench: bench.start("deploy", *words(bench))


def as_the_course(edit: str) -> Callable[[Bench], Running | None]:
    """Traefik's DaemonSet edited (a sed expression) and applied, and its pods deleted, because OnDelete moves none."""

    def change(bench: Bench) -> None:
        bench.kubectl(f"-n kube-system get daemonset traefik-ingress -o json >/tmp/ds && sed -i '{edit}' /tmp/ds")
        bench.kubectl("apply -f /tmp/ds")
        bench.kubectl("-n kube-system delete pods -l k8s-app=traefik-ingress")
        bench.settle()

    return change


def by_hand(script: str, *hosts: str) -> Callable[[Bench], Running | None]:
    """As one does it without a toolkit."""

    def change(bench: Bench) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: bench.on(host, script), hosts))
        time.sleep(SEEN)

    return change


def expire(bench: Bench) -> Words:
    """Every certificate but the authorities' is due: it is not there any more, and has to be made anew."""
    for path in (Lab.named(bench.name).directory / "pki").glob("*.pem"):
        if not re.match(r"(ca|front-proxy-ca|sa)(-key)?\.pem", path.name):
            path.unlink()
    return ()


@dataclass(frozen=True)
class Change:
    """One row. deploys: what is deployed, one run after the other. undrained: the same without draining, and back.

    fails: why that has to fail; '' where nobody is harmed either, because of `spared`. ports: whether NodePorts,
    ClusterIPs and names rest on what changes. streams: whether one WebSocket and one slow download stay open meanwhile.
    """

    name: str
    deploys: tuple[Callable[[Bench], Words], ...]
    without: str
    undrained: Callable[[Bench], Running | None]
    fails: str = ""
    spared: str = ""
    ports: bool = False
    streams: bool = False
    prepare: Callable[[Bench], object] = lambda bench: None
    back: tuple[Words, ...] = ()


def words(*typed: str) -> Callable[[Bench], Words]:
    return lambda bench: typed


def rotated(step: str) -> Words:
    """A step of the replacement of the CAs."""
    return ("--extra-vars", f"pki.rotate={step}")


def rotation(step: str) -> Callable[[Bench], Words]:
    return words(*rotated(step))


CHANGES = (
    Change(
        "a changed Traefik argument",
        deploys=(words("--extra-vars", "traefik.log_level=DEBUG"),),
        without="applied by hand, and the pods deleted, as the course does it",
        undrained=as_the_course("s/log.level=DEBUG/log.level=INFO/"),
        fails="no node listens on :81 between the old pods and the new ones",
    ),
    Change(
        "a Traefik version, 3.7.15 to 3.7.13",
        deploys=(lambda bench: ("--extra-vars", older.offer(bench.name)),),
        without="the same way, and back",
        undrained=as_the_course("s/traefik:3.7.13/traefik:3.7.15/"),
        fails="as above",
    ),
    Change(
        "kube-proxy, iptables to nftables to iptables",
        deploys=(words("--extra-vars", "kube_proxy.mode=nftables"), words()),
        without="`--force` to nftables, both nodes at once",
        undrained=forced("--force", "--extra-vars", "kube_proxy.mode=nftables"),
        fails="no node holds the NodePort's rules while both change",
        ports=True,
        streams=True,
        back=(("--force",),),
    ),
    Change(
        "a kubelet flag",
        deploys=(words("--extra-vars", "kubelet.verbosity=3"),),
        without="`--force`, both nodes at once",
        undrained=forced("--force"),
        spared="kubelet may be away for 40 s before anyone leaves its pods",
        streams=True,
    ),
    Change(
        "containerd restarted",
        deploys=(words("--extra-vars", json.dumps({"containerd": {"disabled_plugins": FEWER}})),),
        without="`systemctl restart containerd` on both nodes at once",
        undrained=by_hand("systemctl restart containerd", *NODES),
        spared="containers are the children of their shims, not of containerd",
        streams=True,
    ),
    Change(
        "a changed edge configuration",
        deploys=(words("--extra-vars", "edge.keepalive=33"),),
        without="by hand, and `systemctl restart nginx`",
        undrained=by_hand(
            "sed -i 's/keepalive 33/keepalive 32/' /etc/nginx/conf.d/od.com.conf; systemctl restart nginx", "hdss7-11"
        ),
        fails="nobody listens between the old nginx and the new one",
        streams=True,
    ),
    Change(
        "every certificate renewed",
        deploys=(expire,),
        without="`--force`, both API servers at once",
        undrained=lambda bench: forced("--force", *expire(bench))(bench),
        spared="Traefik and the pods go on with what they know; the API is away meanwhile",
    ),
    Change(
        "both CAs replaced, in three deploys",
        deploys=(*map(rotation, ("trust", "issue", "distrust")), words()),
        without="the first of them with `--force`",
        undrained=lambda bench: forced("--force", *rotation("trust")(bench))(bench),
        spared="as above",
        back=tuple(rotated(step) for step in ("issue", "distrust")),
    ),
)


@dataclass(frozen=True)
class Seen:
    """What one run came to."""

    ended: Ended | None
    receipt: Receipt
    probes: tuple[Probe, ...]

    @property
    def noticed(self) -> bool:
        """Whether an outsider did: a client of the site, or of a NodePort."""
        return self.receipt.failures > 0 or any(probe.failed for probe in self.probes if probe.port)

    @property
    def missed(self) -> list[str]:
        """What failed of all that was promised: that one API server bears all of the cluster was not."""
        *promised, _ = self.probes
        return [fault for probe in promised for fault in probe.failed]

    def __str__(self) -> str:
        return "; ".join([str(self.receipt), *map(str, self.probes)])


def watched(bench: Bench, change: Change, start: Callable[[Bench], Running | None], *, windows: bool) -> Seen:
    """One run beside clients. windows: whether nodes may be silent on their own ports while they are out."""
    ports = (*(node_port(bench, node) for node in NODES), *in_pods(bench, tuple(NODES))) if change.ports else ()
    probes = (*ports, *(streams(bench.name) if change.streams else ()), api(bench))
    with clients(bench.name) as prober, asking(*probes):
        running = start(bench)
        ended = running.end() if running else None
        receipt = prober.receipt()
    if running and windows:
        for probe in probes:
            probe.windows = outs(running.steps, probe.node)
    if running and change.ports:
        assert [line for node in NODES for line in untranslated(bench, node)] == []
    return Seen(ended, receipt, probes)


def untranslated(bench: Bench, node: str) -> list[str]:
    """What a node's kernel would send past kube-proxy's rules: whatever has the same source port as one of these."""
    record = bench.on(node, "conntrack -L -d 192.168.0.0/16 2>/dev/null").splitlines()
    ends = {line: re.findall(r"(?:src|dst)=(\S+)", line) for line in record}
    return [line for line, (_, asked, answering, *_) in ends.items() if asked == answering]


@pytest.mark.parametrize("change", rows(CHANGES))
def test_nobody_notices(change: Change, site: Bench, book: Book) -> None:
    change.prepare(site)
    runs = [watched(site, change, deployed(each), windows=True) for each in change.deploys]
    site.settle()
    undrained = watched(site, change, change.undrained, windows=False)
    for back in (*change.back, ()):
        assert site.invoke("deploy", *back).code == 0
    receipts = [line for seen in runs if seen.ended for line in RECEIPT.findall(seen.ended.output)]
    cells = {
        "drained": "; ".join(map(str, runs)),
        "receipts": "; ".join(receipts) or "no node was out",
        "undrained": f"{change.without}: {undrained}",
        "why": f"must fail: {change.fails}" if change.fails else f"need not fail: {change.spared}",
    }
    book.write(Row("rolls", change.name, cells))
    for seen in runs:
        assert seen.ended
        assert seen.ended.code == 0, str(seen.ended)
        assert unharmed(seen.receipt), seen.receipt
        assert seen.missed == [], str(seen)
    assert undrained.noticed == bool(change.fails), str(undrained)
    assert change.fails or undrained.missed == [], str(undrained)
