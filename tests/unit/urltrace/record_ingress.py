"""Shows a real Traefik Ingresses from an API server of this file, and writes down what it makes of them.

    python -m tests.unit.urltrace.record_ingress TRAEFIK > tests/unit/urltrace/recorded/ingress.json

Everything runs on 127.0.0.1. The objects are those of `objects()`; the flags those of FLAGS.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.urltrace.record_traefik import free_port

FLAGS = {
    "class": ["--providers.kubernetesingress.ingressclass=traefik"],
    "any": ["--providers.kubernetesingress=true", "--providers.kubernetesingress.allowexternalnameservices=true"],
    "strict": [
        "--providers.kubernetesingress.strictprefixmatching=true",
        "--providers.kubernetesingress.allowemptyservices=true",
        "--providers.kubernetesingress.labelselector=team=a",
    ],
    "narrow": [
        "--providers.kubernetesingress.namespaces=other",
        "--providers.kubernetesingress.disableclusterscoperesources=true",
        "--entrypoints.second.address=127.0.0.1:0",
    ],
}
RESOURCES = {
    "ingresses": ("networking.k8s.io/v1", "Ingress"),
    "ingressclasses": ("networking.k8s.io/v1", "IngressClass"),
    "services": ("v1", "Service"),
    "secrets": ("v1", "Secret"),
    "nodes": ("v1", "Node"),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice"),
}


def ingress(
    name: str, paths: Iterable[Any], *, host: str = "a.od.com", namespace: str = "default", **more: Any
) -> dict[str, Any]:
    """paths: (path, pathType, Service, port). more: annotations, labels, and fields of the spec."""
    meta = {key: more.pop(key) for key in ("annotations", "labels") if key in more}
    rule: dict[str, Any] = {"host": host} if host else {}
    backends = [
        {
            "path": path,
            "pathType": kind,
            "backend": {"service": {"name": service, "port": {"number" if isinstance(port, int) else "name": port}}},
        }
        for path, kind, service, port in paths
    ]
    spec = {"rules": [{**rule, "http": {"paths": backends}}], "ingressClassName": "traefik", **more}
    kept = {key: value for key, value in spec.items() if value is not None}
    return {"kind": "Ingress", "metadata": {"name": name, "namespace": namespace, **meta}, "spec": kept}


def service(name: str, *ports: Any, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    listed = [{"port": port, **({"name": named} if named else {})} for port, named in ports]
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": listed, "clusterIP": "192.168.9.9", "selector": {"app": name}, **spec},
    }


def endpoints(name: str, *held: Any, namespace: str = "default", port: Any = ("", 8080)) -> dict[str, Any]:
    """held: (address, conditions)."""
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{len(held)}",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "ports": [{"name": port[0], "port": port[1], "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": conditions} for address, conditions in held],
    }


def objects() -> list[dict[str, Any]]:
    """All that the API holds."""
    return [*ingresses(), *classes(), *services()]


def ingresses() -> list[dict[str, Any]]:
    """One case a name."""
    root, free = [("/", "Prefix", "web", 80)], [("/m", "ImplementationSpecific", "web", 80)]
    annotation, router = "kubernetes.io/ingress.class", "traefik.ingress.kubernetes.io/router."
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return [
        ingress("plain", root),
        ingress("exact", [("/x/", "Exact", "web", 80), ("/y/", "Prefix", "web", 80), ("/z", None, "web", "http")]),
        ingress("no-host", root, host=""),
        ingress("wild", root, host="*.wild.od.com"),
        ingress("twice", [("/a-b", "Prefix", "web", 80), ("/a/b", "Prefix", "web", 80)]),
        ingress("wrong-class", root, ingressClassName="graefik"),
        ingress("foreign-class", root, ingressClassName="nginx"),
        ingress("second-class", root, ingressClassName="second"),
        ingress("by-annotation", root, ingressClassName=None, annotations={annotation: "traefik"}),
        ingress("other-annotation", root, ingressClassName=None, annotations={annotation: "nginx"}),
        ingress("no-class", root, ingressClassName=None),
        ingress("no-service", [("/", "Prefix", "missing", 80)]),
        ingress("wrong-port", [("/", "Prefix", "web", 8080)]),
        ingress("port-name", [("/", "Prefix", "web", "http")]),
        ingress("wrong-name", [("/", "Prefix", "web", "https")]),
        ingress("empty", [("/", "Prefix", "empty", 80)]),
        ingress("unready", [("/", "Prefix", "unready", 80)]),
        ingress("ending", [("/", "Prefix", "ending", 80)]),
        ingress("misnamed", [("/", "Prefix", "misnamed", 80)]),
        ingress("sliceless", [("/", "Prefix", "sliceless", 80)]),
        ingress("external", [("/", "Prefix", "external", 80)]),
        ingress("half", [("/good", "Prefix", "web", 80), ("/bad", "Prefix", "missing", 80)]),
        ingress("tls", root, tls=[{"secretName": "missing", "hosts": ["a.od.com"]}]),
        ingress("annotated", root, annotations={router + "priority": "77", router + "entrypoints": "web"}),
        ingress("annotated-tls", root, annotations={router + "tls": "true"}),
        ingress("no-middleware", root, annotations={router + "middlewares": "default-gone@kubernetescrd"}),
        ingress("matcher", free, annotations={router + "pathmatcher": "Path"}),
        ingress("bad-matcher", free, annotations={router + "pathmatcher": "X"}),
        ingress("elsewhere", root, namespace="other"),
        ingress(
            "elsewhere-annotated",
            [("/", "Prefix", "web", 80)],
            namespace="other",
            ingressClassName=None,
            annotations={annotation: "traefik"},
        ),
        ingress("labelled", root, labels={"team": "a"}),
        ingress("empty-labelled", [("/", "Prefix", "empty", 80)], labels={"team": "a"}),
        ingress("long-prefix", [("/foo/", "Prefix", "web", 80)], labels={"team": "a"}),
        ingress("no-path", [("", "ImplementationSpecific", "web", 80)]),
        {**ingress("default", []), "spec": {"ingressClassName": "traefik", "defaultBackend": backend}},
    ]


def classes() -> list[dict[str, Any]]:
    controllers = {
        "traefik": "traefik.io/ingress-controller",
        "second": "traefik.io/ingress-controller",
        "nginx": "k8s.io/x",
    }
    return [
        {"kind": "IngressClass", "metadata": {"name": name}, "spec": {"controller": controller}}
        for name, controller in controllers.items()
    ]


def services() -> list[dict[str, Any]]:
    """The Services that Ingresses lead to, and what answers for them."""
    ready = {"ready": True, "serving": True, "terminating": False}
    ending = {"ready": False, "serving": True, "terminating": True}
    return [
        service("web", (80, "http")),
        endpoints("web", ("172.7.21.2", ready), ("172.7.22.2", {}), port=("http", 8080)),
        service("web", (80, ""), namespace="other"),
        endpoints("web", ("172.7.21.9", ready), namespace="other"),
        service("empty", (80, "")),
        endpoints("empty"),
        service("unready", (80, "")),
        endpoints("unready", ("172.7.21.3", {"ready": False, "serving": False})),
        service("ending", (80, "")),
        endpoints("ending", ("172.7.21.4", ending)),
        service("misnamed", (80, "http")),
        endpoints("misnamed", ("172.7.21.5", ready), port=("web", 8080)),
        service("sliceless", (80, "")),
        service("external", (80, ""), type="ExternalName", externalName="elsewhere.example"),
    ]


class Api(BaseHTTPRequestHandler):
    """Lists are answered, watches are held; nothing ever changes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        parts = path.strip("/").split("/")
        if parts[-1] == "version":
            return self.send({"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
        if "watch=true" in query or "watch=1" in query:
            if "sendInitialEvents" in query:  # the client then lists, as with an older server
                return self.send({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422}, 422)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.close_connection = True
            time.sleep(30)
            return None
        version, kind = RESOURCES[parts[-1]]
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts else ""
        items = [one for one in objects() if one["kind"] == kind]
        if namespace:
            items = [one for one in items if one["metadata"]["namespace"] == namespace]
        if kind == "Ingress" and "labelSelector=team%3Da" in query:
            items = [one for one in items if one["metadata"].get("labels") == {"team": "a"}]
        for number, item in enumerate(items):
            item["apiVersion"] = version
            item["metadata"] |= {"uid": str(number), "resourceVersion": "1"}
        return self.send(
            {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}
        )

    def send(self, document: Any, status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


def routers(binary: str, flags: list[str], endpoint: int) -> dict[str, Any]:
    """The routers and services that one Traefik lists, once they stay the same."""
    api, web = free_port(), free_port()
    arguments = [
        *(f"--entrypoints.traefik.address=127.0.0.1:{api}", f"--entrypoints.web.address=127.0.0.1:{web}"),
        *("--api.insecure=true", "--log.level=ERROR", "--global.checknewversion=false"),
        *(
            f"--providers.kubernetesingress.endpoint=http://127.0.0.1:{endpoint}",
            "--providers.kubernetesingress.token=x",
        ),
        *flags,
    ]
    with subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL, stderr=sys.stderr) as process:
        try:
            last: dict[str, Any] = {}
            for _ in range(40):
                time.sleep(0.7)
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{api}/api/rawdata", timeout=5) as answer:
                        found: dict[str, Any] = json.load(answer)
                except OSError:
                    continue
                if found == last and len(found["routers"]) > 2:
                    break
                last = found
        finally:
            process.terminate()
    kept = ("routers", "services")
    return {
        kind: {name: one for name, one in last.get(kind, {}).items() if not name.endswith("@internal")} for kind in kept
    }


def main(binary: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = {name: routers(binary, flags, server.server_address[1]) for name, flags in FLAGS.items()}
    json.dump({"flags": FLAGS, "objects": objects(), "loaded": found}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main(sys.argv[1])
