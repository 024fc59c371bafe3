"""Every fault that is injected into a site that serves. Rows of docs/reliability.md; tested by test_faults.py."""

from __future__ import annotations

from tests.lab.faults.ended import ended
from tests.lab.faults.fault import EDGE, LIGHT, ROLLED, Asked, Fault
from tests.lab.faults.injectors import both, frozen, full, killed, link, power_cut, read_only, script
from tests.lab.running import drained

OUT_21 = drained("hdss7-21")
DEAD_PODS = (
    "Traefik on the other node sends to the pods of the dead one until Kubernetes has taken them from their Services"
)
COURSE = """supervisorctl stop kube-proxy-7-22 >/dev/null
cd /opt/kubernetes/server/bin && sed -i 's/^exec //' kube-proxy.sh
sed -i '/asgroup/d; s/^stopsignal=.*/stopsignal=QUIT/' /etc/supervisor/conf.d/kube-proxy.conf
supervisorctl update >/dev/null; supervisorctl start kube-proxy-7-22 >/dev/null
n=50; until curl -fs -m 2 -o /dev/null 127.0.0.1:10256/healthz || [ $n -eq 0 ]; do n=$((n-1)); sleep 0.2; done
"""
ORPHAN = f"""{COURSE}supervisorctl restart kube-proxy-7-22 >/dev/null
for pid in $(pgrep -x kube-proxy); do [ "$(ps -o ppid= -p $pid)" -ne 1 ] || exit 0; done; exit 1"""


def stopped(host: str, *programs: str) -> str:
    """The script that stops programs under supervisord."""
    suffix = host.removeprefix("hdss")
    return f"supervisorctl stop {' '.join(f'{program}-{suffix}' for program in programs)} >/dev/null"


HOSTS = (
    Fault(
        "sshd frozen",
        "hdss7-22's sshd gets SIGSTOP: its kernel still takes connections",
        frozen("hdss7-22", "sshd"),
        LIGHT,
        exit=3,
        error="^hdss7-22.*sshd",
        within=60,
        left=("hdss7-22",),
    ),
    Fault(
        "link dead",
        "hdss7-22's cable drops every packet",
        link("hdss7-22"),
        LIGHT,
        exit=3,
        error="(^| )hdss7-22: .*connect timeout",
        within=150,  # an API server asks the etcd member that is gone until each of its connections has broken
        lost=DEAD_PODS,
        left=("hdss7-21", "hdss7-22"),  # the cluster speaks through hdss7-21: pods of the dead node are not ready yet
    ),
    Fault(
        "sshd frozen in a roll",
        "hdss7-22's sshd gets SIGSTOP while hdss7-21 is out",
        frozen("hdss7-22", "sshd"),
        ROLLED,
        at=OUT_21,
        exit=3,
        error="^hdss7-22",
        left=("hdss7-22",),
    ),
    Fault(
        "node off in a roll",
        "hdss7-21's power is cut while it is out, and comes back",
        power_cut("hdss7-21"),
        ROLLED,
        at=OUT_21,
        exit=3,
        error="^hdss7-21",
        lost=DEAD_PODS,
        left=("hdss7-21", "hdss7-22"),
    ),
    Fault(
        "edge off in a roll",
        "hdss7-11's power is cut while hdss7-21 is out, and comes back",
        power_cut("hdss7-11"),
        ROLLED,
        at=OUT_21,
        exit=3,
        error="^hdss7-11",
        lost="it is the only edge",
        left=("hdss7-21", "hdss7-22"),
    ),
    Fault(
        "200 ms of latency",
        "every byte to and from every host comes 100 ms later",
        asked=Asked(
            "a line in every host's /etc/hosts",
            "marker",
            ("--extra-vars", '{"hdss7_dial": "tests.lab.faults.latency:dial LAB"}'),
        ),
    ),
    Fault(
        "5 % of packets lost",
        "of what reaches hdss7-22, every twentieth packet is dropped",
        link("hdss7-22", "numgen random mod 100 < 5 drop"),
        LIGHT,
    ),
    Fault(
        "DNS dead",
        "named gets SIGSTOP: nobody resolves a name",
        frozen("hdss7-11", "named"),
        Asked("a flag of kubelet, one node after the other", "verbosity"),
    ),
)
DISKS = (
    Fault(
        "disk full on a node",
        "not one byte is free where hdss7-22 keeps the journal of changes",
        full("hdss7-22", "/var/lib/provision/journal"),
        LIGHT,
        exit=1,
        error="hdss7-22.*No space left on device",
        left=("hdss7-22",),
    ),
    Fault(
        "disk full on the edge",
        "not one byte is free where the edge keeps its sets",
        full("hdss7-11", "/etc/nginx/releases"),
        EDGE,
        exit=1,
        error="hdss7-11.*No space left on device",
        left=("hdss7-11",),
    ),
    Fault(
        "read-only file system",
        "/etc/nginx of the edge is mounted read-only",
        read_only("hdss7-11", "/etc/nginx"),
        EDGE,
        exit=1,
        error="hdss7-11.*Read-only file system",
        left=("hdss7-11",),
    ),
)
PROGRAMS = (
    Fault(
        "one API server down",
        "kube-apiserver-7-22 is stopped",
        script("hdss7-22", stopped("hdss7-22", "kube-apiserver")),
    ),
    Fault(
        "both API servers down",
        "kube-apiserver-7-21 and kube-apiserver-7-22 are stopped",
        both(*(script(host, stopped(host, "kube-apiserver")) for host in ("hdss7-21", "hdss7-22"))),
    ),
    Fault(
        "one etcd member down",
        "etcd-server-7-22 is stopped",
        script("hdss7-22", stopped("hdss7-22", "etcd-server")),
    ),
    Fault(
        "containerd killed",
        "hdss7-22's containerd gets SIGKILL",
        script("hdss7-22", "kill -KILL $(pgrep -x containerd)"),
    ),
    Fault(
        "Traefik killed",
        "hdss7-21's Traefik gets SIGKILL while it answers",
        killed("hdss7-21", "traefik", "traefik-ingress"),
        lost="what it was answering dies with it, and it listens before it has its routes again",
    ),
    Fault(
        "kube-proxy as in the course",
        "hdss7-22's kube-proxy is run by the course's own unit and script: whoever stops it stops a shell",
        script("hdss7-22", COURSE),
    ),
    Fault(
        "kube-proxy orphaned",
        "hdss7-22's kube-proxy is run and restarted by the course's own unit and script: the old one lives on",
        script("hdss7-22", ORPHAN),
    ),
    Fault(
        "supervisord killed",
        "hdss7-22's supervisord gets SIGKILL",
        script("hdss7-22", "kill -KILL $(pgrep -x supervisord)"),
    ),
)
CERTIFICATES = (
    Fault(
        "every certificate has ended",
        "all of them ended a month ago, and every program has been restarted since: etcd and the API are down",
        ended,
        within=300,
    ),
)
PEOPLE = (
    Fault(
        "an edit between plan and apply",
        "a plan is saved, then somebody writes into hdss7-22's /etc/hosts, then that plan is deployed",
        script("hdss7-22", "echo '10.4.7.98 by.hand' >>/etc/hosts"),
        LIGHT,
        exit=1,
        error="hdss7-22.*File /etc/hosts",
        left=("hdss7-11", "hdss7-21", "hdss7-22"),
        saved=True,
    ),
)
NO_TIME = "edge.read_timeout=10s10m"
NO_NETWORK = '{"traefik": {"trusted": ["1:2:3"], "ready_timeout": 10}}'
NO_CIDR = '{"kube_proxy": {"flags": {"nodeport-addresses": "10.9.9.9"}}}'
STOPS = (
    Fault(
        "a bad edge configuration",
        "nginx refuses a value",
        asked=Asked(f"`{NO_TIME}`", extra=("--extra-vars", NO_TIME)),
        exit=1,
        error='^hdss7-11, role edge, roles/edge.py:.*"proxy_read_timeout" directive invalid value',
        table="stops",
    ),
    Fault(
        "a Traefik that exits",
        "it refuses a value",
        asked=Asked(f"`{NO_NETWORK}`", extra=("--extra-vars", NO_NETWORK)),
        exit=1,
        error=r"^hdss7-21.*1:2:3",
        table="stops",
    ),
    Fault(
        "a kube-proxy that can't start",
        "a flag of it has an address where a network belongs",
        asked=Asked(f"`{NO_CIDR}`", extra=("--extra-vars", NO_CIDR)),
        exit=1,
        error="^hdss7-21, role kube_proxy.*kube-proxy-7-21.*10.9.9.9",
        table="stops",
    ),
)
FAULTS = HOSTS + DISKS + PROGRAMS + CERTIFICATES + PEOPLE + STOPS
