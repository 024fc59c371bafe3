"""Ingresses as people wrote them for ingress-nginx, what they lead to, and a client that asks them through the edge."""

from __future__ import annotations

import base64
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from hdss7.ingress.honoured import PREFIX
from lab.artifacts.images import AGNHOST
from tests.lab.typed import KUBECTL, on

EDGE = "http://10.4.7.11"
CLIENT, OTHER = "hdss7-22", "hdss7-21"  # who asks; 10.4.7.22 and 10.4.7.21 to the edge
PASSWORD = "tr0ub4dor"
# Services that lead to hdss7-11: to bind, which takes a connection and waits for a question, and to the edge itself
OF_HOST = {"silent": 53, "edge": 80}


@dataclass(frozen=True)
class Site:
    """One Ingress, at the host NAME.od.com. ignored: the annotations that the check calls so; refused: likewise."""

    name: str
    annotations: Mapping[str, str]
    service: str = "old"
    path: str = "/"
    host: str = ""
    tls: bool = False
    port: int = 80
    ignored: Sequence[str] = ()
    refused: Sequence[str] = ()

    @property
    def item(self) -> dict[str, Any]:
        backend = {"service": {"name": self.service, "port": {"number": self.port}}}
        path = {"path": self.path, "pathType": "ImplementationSpecific", "backend": backend}
        spec: dict[str, Any] = {
            "ingressClassName": "nginx",
            "rules": [{"host": f"{self.host or self.name}.od.com", "http": {"paths": [path]}}],
        }
        if self.tls:
            spec["tls"] = [{"hosts": [f"{self.name}.od.com"], "secretName": "none"}]
        annotations = {PREFIX + name: value for name, value in self.annotations.items()}
        metadata = {"name": self.name, "namespace": "default", "annotations": annotations}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


SITES = (
    Site("plain", {}),
    Site("rewrite", {"use-regex": "true", "rewrite-target": "/$2"}, path="/app(/|$)(.*)"),
    Site("regex", {"use-regex": "true"}, path="/v[0-9]+/"),
    Site("tls", {}, tls=True, refused=("spec.tls",)),
    Site("tls-no", {"ssl-redirect": "false"}, tls=True, ignored=("spec.tls",)),
    Site("force", {"force-ssl-redirect": "true"}),
    Site("body", {"proxy-body-size": "100k", "proxy-request-buffering": "on"}),
    Site("body-only", {"proxy-body-size": "100k"}, ignored=("proxy-body-size",)),
    Site("slow", {"proxy-read-timeout": "1"}, service="silent"),
    Site("affinity", {"affinity": "cookie", "session-cookie-name": "stick"}),
    Site("basic", {"auth-type": "basic", "auth-secret": "users", "auth-realm": "shop"}),
    Site("denied", {"auth-url": "http://old.default.svc.cluster.local/echo?msg=no&code=401"}),
    Site("allowed", {"auth-url": "http://old.default.svc.cluster.local/echo?msg=yes"}),
    Site("white", {"whitelist-source-range": "10.4.7.22/32"}),
    Site(
        "cors",
        {
            "enable-cors": "true",
            "cors-allow-origin": "https://a.od.com",
            "cors-allow-methods": "GET",
            "cors-allow-headers": "X-One",
            "cors-expose-headers": "X-Two",
            "cors-max-age": "7",
            "cors-allow-credentials": "false",
        },
    ),
    Site("https", {"backend-protocol": "HTTPS"}, service="kubernetes", port=443),
    Site("limit", {"limit-rps": "1", "limit-burst-multiplier": "2"}),
    Site("moved", {"permanent-redirect": "https://new.od.com/x", "permanent-redirect-code": "308"}),
    Site("vhost", {"upstream-vhost": "demo.od.com"}, service="edge"),
    Site("headers", {"custom-headers": "default/extra"}),
    Site("headers-not", {"custom-headers": "default/forbidden"}),
    Site("alias", {"server-alias": "alias-two.od.com"}),
    Site("fallback", {"default-backend": "new"}, service="empty"),
    Site("errors", {"default-backend": "new", "custom-http-errors": "418"}),
    Site("weight", {}, service="old-weight"),
    Site("weight-new", {"canary": "true", "canary-weight": "50"}, service="new", host="weight"),
    Site("header", {}, service="old-header"),
    Site("header-new", {"canary": "true", "canary-by-header": "X-Canary"}, service="new", host="header"),
    Site("root", {"app-root": "/hostname"}),
    Site("prefix", {"rewrite-target": "/header", "x-forwarded-prefix": "/outer"}, path="/outer"),
    Site("snippet", {"configuration-snippet": "return 200;"}, refused=("configuration-snippet",)),
    Site("deny", {"denylist-source-range": "10.4.7.22/32"}, ignored=("denylist-source-range",)),
    Site("last", {}),
)


def objects() -> Iterator[dict[str, Any]]:
    """Two applications that say which pod answers, and services that lead to them, to nobody, to who is silent."""
    for name, replicas in (("old", 2), ("new", 1)):
        labels = {"app": f"t-{name}"}
        container = {"name": "web", "image": AGNHOST.config.name, "args": ["netexec", "--http-port=8080"]}
        pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod}
        yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(f"t-{name}"), "spec": spec}
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    leads = {"old": "t-old", "old-weight": "t-old", "old-header": "t-old", "new": "t-new", "empty": "t-nobody"}
    for name, app in leads.items():
        spec = {"selector": {"app": app}, "ports": ports}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(name), "spec": spec}
    for name, port in OF_HOST.items():
        yield {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(name), "spec": {"ports": ports}}
        yield {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**_metadata(f"{name}-1"), "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.4.7.11"], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        }
    hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True).stdout
    yield {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata("users"),
        "stringData": {"auth": f"anna:{hashed}"},
    }
    for name, header in (("extra", "X-Extra"), ("forbidden", "X-Other")):
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(name), "data": {header: "yes"}}
    yield from (site.item for site in SITES)


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "default"}


def apply(verb: str, *words: str) -> None:
    """`kubectl VERB` on all of it."""
    text = shlex.quote(yaml.safe_dump_all(list(objects())))
    on("hdss7-21", f"printf %s {text} | {KUBECTL} {verb} -f - {shlex.join(words)}")


@dataclass(frozen=True)
class Answer:
    """What a client saw."""

    status: int
    headers: Mapping[str, str]
    body: str
    seconds: float = field(compare=False, default=0)


def asked(name: str, path: str = "/hostname", *words: str, host: str = CLIENT) -> Answer:
    """NAME.od.com asked through the edge, by a host."""
    argv = ["curl", "-s", "-i", "-m", "20", "-H", f"Host: {name}.od.com", *words, f"{EDGE}{path}"]
    began = time.monotonic()
    said = on(host, f"{shlex.join(argv)} | base64 -w0")
    text = base64.b64decode(said).decode().replace("\r\n", "\n")
    final = text[text.rindex("HTTP/1") :]  # a large body has 100 Continue before it
    head, _, body = final.partition("\n\n")
    lines = [line.partition(": ") for line in head.splitlines()[1:]]
    return Answer(
        int(head.split()[1]), {name.lower(): value for name, _, value in lines}, body, time.monotonic() - began
    )
