"""Evidence of a healthy site of one edge and two nodes, to be broken by tests: what each small question came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.unit.urltrace.record_ingress import endpoints, ingress, service
from urltrace.evidence import OUTSIDE, Answer, Evidence, Host, Site, Unasked
from urltrace.redact import Redactor
from urltrace.request import Request

EDGE, N21, N22 = Host("hdss7-11", "10.4.7.11"), Host("hdss7-21", "10.4.7.21"), Host("hdss7-22", "10.4.7.22")
SITE = Site(
    "od.com",
    edges=(EDGE,),
    nodes=(N21, N22),
    masters=(N21, N22),
    dns=(EDGE,),
    cluster_dns="192.168.0.2",
    api="10.4.7.11:7443",
)
TRAEFIK = {"hdss7-21": "172.7.21.5", "hdss7-22": "172.7.22.5"}
PODS = ("172.7.21.7", "172.7.22.7")
NOT_FOUND = "HTTP/1.1 404 Not Found\nContent-Type: text/plain; charset=utf-8\n\n404 page not found\n"
Answers = dict[tuple[str, str], Answer]

NGINX = """\
# configuration file /etc/nginx/nginx.conf:
events {}
http {
    include conf.d/*.conf;
}

# configuration file /etc/nginx/conf.d/od.com.conf:
upstream default_backend_traefik {
    server 10.4.7.21:81 max_fails=3 fail_timeout=10s;
    server 10.4.7.22:81 max_fails=3 fail_timeout=10s;
}
server {
    listen 80 default_server;
    server_name _;
    return 404 "edge: no site of this name here\\n";
}
server {
    listen 80;
    server_name *.od.com;
    location / {
        proxy_pass http://default_backend_traefik;
        proxy_set_header Host $host;
    }
}
"""


def page(status: str, *, server: str = "", body: str = "ok") -> str:
    return f"HTTP/1.1 {status}\n" + (f"Server: {server}\n" if server else "") + f"\n{body}"


def nginx_page(status: str) -> str:
    text = f"<html><head><title>{status}</title></head><body><hr><center>nginx</center></body></html>"
    return page(status, server="nginx", body=text)


def http(
    kind: str, target: str, location: str, text: str = "", *, exit: int = 0, total: float = 0.01, connect: float = 0.001
) -> Answer:
    stats = f"exit={exit} connect={0 if exit in (7, 6) else connect} first={total} total={total} from=10.0.0.1\n"
    return Answer(f"http {kind} {target}".rstrip(), location, text, exit, stats)


def refused(kind: str, target: str, location: str) -> Answer:
    return http(kind, target, location, exit=7)


def lost(kind: str, target: str, location: str) -> Answer:
    return http(kind, target, location, exit=28, total=3.0, connect=0)


def nat(address: str, port: int = 81) -> str:
    return (
        "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n"
        f'-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name" -m multiport --dports {port} -j CNI-DN-a1\n'
        f"-A CNI-DN-a1 -p tcp -m tcp --dport {port} -j DNAT --to-destination {address}:80\n"
    )


def pod(name: str, ip: str, node: Host | None, labels: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """more: namespace, container, account, waiting."""
    waiting = more.get("waiting", "")
    status: dict[str, Any] = {
        "phase": "Running",
        "podIP": ip,
        "conditions": [{"type": "Ready", "status": "False" if waiting else "True"}],
        "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": waiting}} if waiting else {}}],
    }
    spec: dict[str, Any] = {
        "containers": [more.get("container", {"name": "c", "env": [{"name": "PASSWORD", "value": "hunter2"}]})],
        "serviceAccountName": more.get("account", "default"),
    }
    if node:
        status["hostIP"], spec["nodeName"] = node.address, f"{node.name}.host.com"
    metadata = {"name": name, "namespace": more.get("namespace", "default"), "labels": labels}
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def traefik_pod(node: Host, **more: Any) -> dict[str, Any]:
    container = {
        "name": "traefik",
        "args": [
            "--entrypoints.web.address=:80",
            "--entrypoints.traefik.address=:8080",
            "--providers.kubernetesingress=true",
            "--providers.kubernetesingress.ingressclass=traefik",
        ],
        "ports": [{"containerPort": 80, "hostPort": 81}, {"containerPort": 8080}],
    }
    return pod(
        f"traefik-ingress-{node.address[-2:]}",
        TRAEFIK[node.name],
        node,
        {"k8s-app": "traefik-ingress"},
        **{"container": container, "namespace": "kube-system", "account": "traefik", **more},
    )


def access(*without: str) -> list[dict[str, Any]]:
    named = {
        "": ["services", "secrets", "nodes"],
        "discovery.k8s.io": ["endpointslices"],
        "networking.k8s.io": ["ingresses", "ingressclasses"],
    }
    rules = [
        {"apiGroups": [group], "resources": [one for one in held if one not in without], "verbs": ["list", "watch"]}
        for group, held in named.items()
    ]
    subject = {"kind": "ServiceAccount", "name": "traefik", "namespace": "kube-system"}
    return [
        {"kind": "ClusterRole", "metadata": {"name": "traefik"}, "rules": rules},
        {
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "traefik"},
            "roleRef": {"kind": "ClusterRole", "name": "traefik"},
            "subjects": [subject],
        },
    ]


def demo(host: str = "demo.od.com", path: str = "/", **more: Any) -> dict[str, Any]:
    return ingress("demo", [(path, "Prefix", "demo", 80)], host=host, **more)


def held() -> dict[str, Any]:
    """The objects by a name that tests replace."""
    controller = {"controller": "traefik.io/ingress-controller"}
    return {
        "class": {"kind": "IngressClass", "metadata": {"name": "traefik"}, "spec": controller},
        "ingress": demo(),
        "service": service("demo", (80, "")),
        "slice": endpoints("demo", *((ip, {"ready": True, "serving": True}) for ip in PODS)),
        "pod-21": pod("demo-21", PODS[0], N21, {"app": "demo"}),
        "pod-22": pod("demo-22", PODS[1], N22, {"app": "demo"}),
        "traefik-21": traefik_pod(N21),
        "traefik-22": traefik_pod(N22),
        "access": access(),
        "dns": service("coredns", (53, "dns"), namespace="kube-system", clusterIP="192.168.0.2"),
        "dns-slice": endpoints("coredns", ("172.7.21.9", {"ready": True}), namespace="kube-system", port=("dns", 53)),
    }


def listed(objects: Mapping[str, Any]) -> str:
    items = [one for item in objects.values() for one in (item if isinstance(item, list) else [item])]
    return json.dumps({"kind": "List", "items": items})


def router(
    rule: str = 'Host("demo.od.com") && PathPrefix("/")', name: str = "default-demo-demo-od-com", **more: Any
) -> Any:
    made = {"rule": rule, "service": "default-demo-80", "entryPoints": ["web"], "status": "enabled", **more}
    return {f"{name}@kubernetes": made}


def rawdata(routers: Mapping[str, Any] | None = None, servers: tuple[str, ...] = PODS) -> str:
    urls = [{"url": f"http://{ip}:8080"} for ip in servers]
    services = {"default-demo-80@kubernetes": {"loadBalancer": {"servers": urls}, "status": "enabled"}}
    return json.dumps({"routers": router() if routers is None else routers, "services": services})


def dig(status: str = "NOERROR", address: str = "10.4.7.11") -> str:
    record = f"demo.od.com.\t60\tIN\tA\t{address}\n" if address else ""
    authority = "od.com.\t60\tIN\tSOA\tdns. admin. 2024010101 1 1 1 1\n"
    return f";; ->>HEADER<<- opcode: QUERY, status: {status}, id: 1\n{record}{authority}"


def healthy() -> Answers:
    ok = page("200 OK")
    found = [
        Answer("dig 10.4.7.11", OUTSIDE, dig()),
        Answer("hosts-file", OUTSIDE, ""),
        Answer("resolver", OUTSIDE, "nameserver 10.4.7.11\n"),
        http("name", "", OUTSIDE, ok),
        http("edge", "10.4.7.11:80", OUTSIDE, ok),
        Answer("nginx -T", EDGE.name, NGINX),
        Answer("nginx-state", EDGE.name, "started 1000\nchanged 900 /etc/nginx/conf.d/od.com.conf\n"),
        Answer("listen", EDGE.name, 'LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=7,fd=6))\n'),
        Answer("filter", EDGE.name, ":OUTPUT ACCEPT [0:0]\n"),
        Answer("objects", N21.name, listed(held())),
    ]
    for node in SITE.nodes:
        target = f"{node.address}:81"
        found += [
            *(http(kind, target, EDGE.name, ok) for kind in ("node", "large")),
            http("node", target, node.name, ok),
            http("traefik", f"{TRAEFIK[node.name]}:80", node.name, ok),
            http("alive", f"{TRAEFIK[node.name]}:80", node.name, NOT_FOUND),
            *(http("pod", f"{ip}:8080", node.name, ok) for ip in PODS),
            Answer("rawdata", node.name, rawdata()),
            Answer("nat", node.name, nat(TRAEFIK[node.name])),
            Answer("filter", node.name, ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"),
            Answer("listen", node.name, 'LISTEN 0 511 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=9,fd=3))\n'),
            Answer("sysctl", node.name, "net.ipv4.ip_forward = 1\n"),
            Answer("log traefik", node.name, ""),
            Answer("routes", node.name, "172.7.21.7 via 10.4.7.21 dev eth0\n172.7.22.7 via 10.4.7.22 dev eth0\n"),
            Answer("readyz", node.name, "ok"),
        ]
    return {(answer.question, answer.location): answer for answer in found}


Change = Callable[[Answers], None]
Case = tuple[str, str, str, list[Change]]  # hop, cause, words of the sentence, what breaks the evidence


def put(*answers: Answer) -> Change:
    """A change that replaces answers, or adds them."""

    def change(found: Answers) -> None:
        found.update({(answer.question, answer.location): answer for answer in answers})

    return change


def objects(**changed: Any) -> Change:
    """A change of objects by their names in `held`, with _ for -; None takes one away."""
    every = held() | {name.replace("_", "-"): value for name, value in changed.items()}
    return put(Answer("objects", N21.name, listed({name: one for name, one in every.items() if one is not None})))


def everywhere(text: str, *, nodes: tuple[Host, ...] = SITE.nodes, client: bool = True) -> Change:
    """A change of what Traefik answers, as each hop before it then sees it."""
    found = [
        answer
        for node in nodes
        for answer in (
            *(
                http(kind, f"{node.address}:81", place, text)
                for kind, place in (("node", EDGE.name), ("node", node.name))
            ),
            http("traefik", f"{TRAEFIK[node.name]}:80", node.name, text),
        )
    ]
    return put(*found, *(_client(text) if client else ()))


def _client(text: str) -> tuple[Answer, ...]:
    return http("name", "", OUTSIDE, text), http("edge", "10.4.7.11:80", OUTSIDE, text)


def client(text: str) -> Change:
    """A change of what the client gets."""
    return put(*_client(text))


def evidence(*changes: Change, request: Request | None = None, unasked: tuple[str, ...] = ()) -> Evidence:
    """The healthy site, changed; hosts of `unasked` have said nothing."""
    found = healthy()
    for change in changes:
        change(found)
    redactor = Redactor("salt")
    kept = tuple(redactor.answer(answer) for answer in found.values() if answer.location not in unasked)
    sent = redactor.sent(request or Request("demo.od.com"))
    return Evidence(sent, SITE, kept, tuple(Unasked(name, "no answer within 3 s") for name in unasked))
