"""Asks a real Traefik what it does with rules and requests, and writes the answers down for test_traefik_recorded.py.

    python -m tests.unit.urltrace.record_traefik TRAEFIK > tests/unit/urltrace/recorded/traefik.json

Each rule is one router, made selectable by a header, so that a request asks one rule. Everything runs on 127.0.0.1.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

RULES = (
    "Host(`a.od.com`)",
    "host(`A.od.COM`)",
    "HOST(`a.od.com`) || Host(`b.od.com`)",
    "Hostregexp(`^a`)",
    "Host(`*`)",
    "Host(`*.od.com`)",
    "Host(`*od.com`)",
    "Host(`a.od.com.`)",
    "!Host(`a.od.com`)",
    "!(Host(`a.od.com`) && PathPrefix(`/foo`))",
    "!(Host(`a.od.com`) || !PathPrefix(`/foo`))",
    "HostRegexp(`^[a-b]\\.od\\.com$`)",
    "HostRegexp(`^(zzz)?$`)",
    "HostRegexp(`(?i)^A`)",
    "HostRegexp(`^(?P<name>[a-z]+)\\.od`)",
    "HostRegexp(`(?=a)`)",
    "HostRegexp(`[`)",
    "Path(`/foo`)",
    "Path(`/foo/`)",
    "Path(`/foo bar`)",
    "Path(`/a%2Fb`)",
    "Path(`/a/b`)",
    "Path(`/~a`)",
    "Path(`/é`)",
    "Path(`/a!b`)",
    "Path(`foo`)",
    "PathPrefix(`/foo`)",
    "PathPrefix(`/`)",
    "PathPrefix(`/foo/`)",
    "PathPrefix(`/FOO`)",
    "PathRegexp(`^/foo/[0-9]+$`)",
    "PathRegexp(`bar`)",
    "Method(`POST`)",
    "Method(`post`)",
    "!Method(`GET`)",
    "Header(`X-Kind`, `one`)",
    "Header(`x-kind`, `one`)",
    "HeaderRegexp(`X-Kind`, `^o`)",
    "Header(`Host`, `a.od.com`)",
    "!Header(`X-Kind`, `one`)",
    "Query(`q`)",
    "Query(`q`, `1`)",
    "Query(`q`, `a b`)",
    "QueryRegexp(`q`, `^[0-9]+$`)",
    "QueryRegexp(`q`)",
    "ClientIP(`127.0.0.1`)",
    "ClientIP(`127.0.0.0/8`)",
    "ClientIP(`10.0.0.0/8`)",
    "ClientIP(`nonsense`)",
    "ClientIP(`::1`)",
    "Host(`a.od.com`) && PathPrefix(`/foo`) || Host(`b.od.com`)",
    "Host(`a.od.com`) && (PathPrefix(`/foo`) || Method(`POST`))",
    '(Path("/foo") || PathPrefix("/foo/"))',
    'Host("a.od.com") && Path("/foo\\x20bar")',
    "Host(`a.od.com`, `b.od.com`)",
    "Host()",
    "Host(``)",
    "Host(`a.od.com`,)",
    "Host('a.od.com')",
    "Host(a.od.com)",
    "Hosts(`a.od.com`)",
    "hostRegexp(`a`)",
    "Host(`a.od.com`) Path(`/foo`)",
    "Host(`a.od.com`) & Path(`/foo`)",
    "Host(`a.od.com`) and Path(`/foo`)",
    "Host(`a.od.com`) &&\n  PathPrefix(`/foo`)",
    "Host(`a.od.com`)\n  && PathPrefix(`/foo`)",
    "Host(`a.od.com`)\n",
    "Host(`bücher.od.com`)",
    "(Host(`a.od.com`)",
    "Host(`a.od.com`))",
    "Header(`X-Kind`)",
    "Path(`/x`, `/y`)",
    '"a"',
    "",
    "Host",
    "!!Host(`a.od.com`)",
    "Host(`a.od.com`) || Path(`/foo`) && Method(`POST`)",
    'Host("a\\.od.com")',
    "Host(1)",
    "PathRegexp(`^/\\d+$`)",
    "PathRegexp(`\\bfoo\\b`)",
    "PathRegexp(`\\pL`)",
    "PathRegexp(`[[:digit:]]`)",
    "PathRegexp(`(?s).$`)",
    "PathRegexp(`a{2,1}`)",
    "PathRegexp(`x**`)",
)
HOSTS = (
    "a.od.com",
    "A.OD.com",
    "a.od.com:80",
    "a.od.com.",
    "b.od.com",
    "x.a.od.com",
    "od.com",
    "c.example",
    "[::1]:81",
    "",
)
PATHS = (
    *("/", "/foo", "/foo/", "/foobar", "/foo/12", "/foo/../bar", "//foo", "/./foo", "/foo%20bar", "/a%2Fb", "/a%2fb"),
    *("/a/b", "/%7Ea", "/~a", "/%C3%A9", "/\xc3\xa9", "/a!b", "/a%21b", '/a!b"', "/12", "/%66oo", "/foo/..", "/foo/."),
    *("/foo%0A", "/%zz", "/foo%", "/FOO/", "/foo//", "/a[b", "/a;b", "/a%3Bb", "/foo%25", "/%2e%2e/foo", "/*", "/a:b"),
)
QUERIES = ("", "", "", "q", "q=1", "q=a+b", "q=a%20b&x=1", "q=%zz", "x=1;q=1", "q=1&q=2", "Q=1")
KINDS = ((), (), ("X-Kind: one",), ("x-kind: two", "X-Kind: one"), ("X-KIND: One",))


def cases() -> list[dict[str, Any]]:
    """The requests of every rule, the same at each call."""
    chance = random.Random(11)
    requests = [
        {"host": chance.choice(HOSTS[:5] * 2 + HOSTS), "path": path, "query": chance.choice(QUERIES)} for path in PATHS
    ]
    requests += [{"host": host, "path": chance.choice(PATHS[:6]), "query": chance.choice(QUERIES)} for host in HOSTS]
    requests += [{"host": "a.od.com", "path": "/foo", "query": query} for query in QUERIES[2:]]
    return [
        {**request, "method": chance.choice(("GET", "GET", "POST", "post")), "headers": chance.choice(KINDS)}
        for request in requests
    ]


def ask(port: int, request: dict[str, Any], case: str) -> tuple[int, str]:
    """The status, and which router answered ('' for none)."""
    target = request["path"] + (f"?{request['query']}" if request["query"] else "")
    lines = [
        f"{request['method']} {target} HTTP/1.1",
        f"Host: {request['host']}",
        f"X-Case: {case}",
        "Connection: close",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall("\r\n".join([*lines, "Connection: close", *request["headers"], "", ""]).encode("latin-1"))
        answer = b""
        while part := line.recv(65536):
            answer += part
    head = answer.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    routers = [line.partition(":")[2].strip() for line in head if line.lower().startswith("x-router:")]
    return int(head[0].split()[1]), (routers or [""])[0]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def configuration() -> dict[str, Any]:
    """One router a rule, and routers that compete for a request that names none."""
    routers: dict[str, dict[str, Any]] = {}
    for number, rule in enumerate(RULES):
        one_line = rule if rule.strip() else ""
        routers[f"r{number}"] = {"rule": f"({one_line}) && Header(`X-Case`, `{number}`)" if one_line else ""}
    routers["short"] = {"rule": "Host(`c.od.com`)"}
    routers["long"] = {"rule": "Host(`c.od.com`) && PathPrefix(`/long`)"}
    routers["first"] = {"rule": "Host(`c.od.com`) && PathPrefix(`/first`)", "priority": 1000}
    routers["last"] = {"rule": "Host(`c.od.com`) && PathPrefix(`/last/and/very/long`)", "priority": 1}
    routers["other-entry"] = {"rule": "Host(`d.od.com`)", "entryPoints": ["other"]}
    routers["no-entry"] = {"rule": "Host(`e.od.com`)", "entryPoints": ["missing"]}
    routers["half-entry"] = {"rule": "Host(`f.od.com`)", "entryPoints": ["missing", "web"]}
    routers["no-service"] = {"rule": "Host(`g.od.com`)", "service": "missing"}
    routers["with-tls"] = {"rule": "Host(`h.od.com`)", "tls": {}}
    routers["no-middleware"] = {"rule": "Host(`i.od.com`)", "middlewares": ["missing"]}
    routers["syntax-two"] = {"rule": "Host(`j.od.com`, `k.od.com`)", "ruleSyntax": "v2"}
    routers["negative"] = {"rule": "HostRegexp(`^c`)", "priority": -1}
    for name, router in routers.items():
        router.setdefault("service", "noop@internal")
        router.setdefault("entryPoints", ["web"])
        router.setdefault("middlewares", [f"mark-{name}"])
    marks = {f"mark-{name}": {"headers": {"customResponseHeaders": {"X-Router": name}}} for name in routers}
    return {"http": {"routers": routers, "middlewares": marks}}


COMPETING = [
    {"host": f"{letter}.od.com", "path": path, "query": "", "method": "GET", "headers": ()}
    for letter in "cdefghijkl"
    for path in ("/", "/long", "/first/long", "/last/and/very/long")
]


def main(binary: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "dynamic.yaml").write_text(json.dumps(configuration()))
        web, api, other = free_port(), free_port(), free_port()
        arguments = [
            *(f"--entrypoints.web.address=127.0.0.1:{web}", f"--entrypoints.traefik.address=127.0.0.1:{api}"),
            *(f"--entrypoints.other.address=127.0.0.1:{other}", "--api.insecure=true", "--log.level=ERROR"),
            *(f"--providers.file.filename={folder}/dynamic.yaml", "--global.checknewversion=false"),
        ]
        with subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                json.dump(record(web, api), sys.stdout, indent=None, separators=(",", ":"), ensure_ascii=True)
            finally:
                process.terminate()
    print()


def record(web: int, api: int) -> dict[str, Any]:
    def read(path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{api}{path}", timeout=5) as answer:
            return json.load(answer)

    for _ in range(100):
        try:
            if len(read("/api/rawdata")["routers"]) > 50:
                break
        except OSError:
            pass
        time.sleep(0.2)
    time.sleep(1)
    rules = [
        {"rule": rule, "answers": [ask(web, request, str(number)) for request in cases()]}
        for number, rule in enumerate(RULES)
    ]
    competing = [(request, ask(web, request, "none")) for request in COMPETING]
    data = read("/api/rawdata")
    del data["middlewares"]
    loaded = [data["routers"].get(f"r{number}@file", {}) for number in range(len(RULES))]
    for rule, router in zip(rules, loaded, strict=True):
        rule["status"], rule["error"] = router.get("status", ""), router.get("error", [])
    return {
        "version": read("/api/version")["Version"],
        "requests": cases(),
        "rules": rules,
        "competing": competing,
        "entrypoints": [{key: point[key] for key in ("name", "address")} for point in read("/api/entrypoints")],
        "rawdata": {
            "routers": {name: router for name, router in data["routers"].items() if not name.startswith("r")},
            "services": {},
        },
    }


if __name__ == "__main__":
    main(sys.argv[1])
