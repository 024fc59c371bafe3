"""Faults of the edge's nginx: hop, cause, words of the sentence, and what breaks the evidence."""

from __future__ import annotations

from tests.unit.urltrace.cases.changes import configuration
from tests.unit.urltrace.site import EDGE, NOT_FOUND, Case, client, lost, nginx_page, page, put, refused
from urltrace.evidence import OUTSIDE, Answer

DEFAULT = page("404 Not Found", server="nginx", body="edge: no site of this name here\n")

BROKEN = 'nginx: [emerg] unknown directive "serve" in /etc/nginx/conf.d/x.conf:3\n'
LIVE = (
    "2026/11/29 14:00:00 [error] 7#7: *9 no live upstreams while connecting to upstream, client: 10.4.7.200, "
    'server: *.od.com, request: "GET /?token=hunter2 HTTP/1.1", host: "demo.od.com"\n'
)

NOT_ENOUGH = "9 worker_connections are not enough"
USED_UP = f"2026/01/01 10:00:00 [alert] 7#7: {NOT_ENOUGH}\n2026/01/01 %s now\n"
MENDED_SINCE = f"2026/01/01 09:59:58 [alert] 6#6: {NOT_ENOUGH}\n" + USED_UP.replace(
    NOT_ENOUGH, "(24: Too many open files)"
)

CASES: list[Case] = [
    (
        "edge",
        "nginx-down",
        "nothing listens on port 80 of hdss7-11",
        [
            put(refused("name", "", OUTSIDE), refused("edge", "10.4.7.11:80", OUTSIDE)),
            put(Answer("listen", EDGE.name, "LISTEN 0 5 0.0.0.0:22 0.0.0.0:*\n")),
        ],
    ),
    (
        "edge",
        "edge-firewall",
        "drops connections to port 80",
        [put(lost("name", "", OUTSIDE), lost("edge", "10.4.7.11:80", OUTSIDE))],
    ),
    ("edge", "no-server-block", "default_server", [configuration("*.od.com", "*.od.cm"), client(DEFAULT)]),
    (
        "edge",
        "not-proxied",
        "return 503",
        [
            configuration("        proxy_pass http://default_backend_traefik;\n", "        return 503;\n"),
            client(nginx_page("503 Service Temporarily Unavailable")),
        ],
    ),
    (
        "edge",
        "edge-denied",
        "deny all",
        [
            configuration("    location / {", "    deny all;\n    location / {"),
            client(nginx_page("403 Forbidden")),
        ],
    ),
    ("edge", "edge-body", "client_max_body_size 1m", [client(nginx_page("413 Request Entity Too Large"))]),
    (
        "edge",
        "all-drained",
        "is marked down",
        [
            configuration("fail_timeout=10s;", "fail_timeout=10s down;"),
            client(nginx_page("502 Bad Gateway")),
        ],
    ),
    (
        "edge",
        "wrong-upstream",
        "sends to 10.4.7.21:8181",
        [
            configuration("10.4.7.21:81 ", "10.4.7.21:8181 "),
            client(nginx_page("502 Bad Gateway")),
        ],
    ),
    (
        "edge",
        "host-lost",
        "sends Host default_backend_traefik",
        [
            configuration("        proxy_set_header Host $host;\n", ""),
            client(NOT_FOUND),
        ],
    ),
    (
        "edge",
        "path-rewritten",
        "asks Traefik for /app/, and not for /: the path in proxy_pass (/etc/nginx/conf.d/od.com.conf:14)",
        [configuration("default_backend_traefik;", "default_backend_traefik/app/;"), client(NOT_FOUND)],
    ),
    (
        "edge",
        "path-rewritten",
        "asks Traefik for /v2/, and not for /: rewrite ^/(.*)$ /v2/$1 break",
        [configuration("location / {", "location / {\n        rewrite ^/(.*)$ /v2/$1 break;"), client(NOT_FOUND)],
    ),
    (
        "edge",
        "not-reloaded",
        "runs an older configuration than /etc/nginx/conf.d/od.com.conf",
        [
            put(Answer("nginx-state", EDGE.name, "started 1000\nchanged 2000 /etc/nginx/conf.d/od.com.conf\n")),
            client(nginx_page("502 Bad Gateway")),
        ],
    ),
    (
        "edge",
        "nodes-left-out",
        "every node answers hdss7-11 now: 7#7: *9 no live upstreams",
        [
            client(nginx_page("502 Bad Gateway")),
            put(Answer("log nginx", EDGE.name, LIVE)),
        ],
    ),
    (
        "edge",
        "edge-connections",
        "has no connection left for the request",
        [client(nginx_page("502 Bad Gateway")), put(Answer("log nginx", EDGE.name, USED_UP % "10:00:09"))],
    ),
    (
        "edge",
        "edge-files",
        "has no open file left for the request: worker_rlimit_nofile 20 in /etc/nginx/nginx.conf:1",
        [
            client(nginx_page("500 Internal Server Error")),
            configuration("events {}", "worker_rlimit_nofile 20;\nevents {}"),
            put(Answer("log nginx", EDGE.name, MENDED_SINCE % "10:00:09")),
        ],
    ),
    (
        "edge",
        "edge-files",
        "has no open file left for the request: worker_rlimit_nofile 20 in /etc/nginx/nginx.conf:1",
        [
            client(nginx_page("500 Internal Server Error")),
            configuration("events {}", "worker_rlimit_nofile 20;\nevents {}"),
            put(
                Answer("log nginx", EDGE.name, (USED_UP % "10:00:09").replace(NOT_ENOUGH, "(24: Too many open files)"))
            ),
        ],
    ),
    (  # what the log said an hour ago is no cause
        "edge",
        "nodes-left-out",
        "although every node answers hdss7-11 now",
        [client(nginx_page("502 Bad Gateway")), put(Answer("log nginx", EDGE.name, USED_UP % "11:00:00"))],
    ),
    (
        "edge",
        "edge-header",
        "takes no header of that size",
        [client(nginx_page("400 Request Header Or Cookie Too Large"))],
    ),
    (
        "edge",
        "edge-limit",
        "limits how often it is asked: limit_req zone=one",
        [
            client(nginx_page("503 Service Temporarily Unavailable")),
            configuration("location / {", "location / {\n        limit_req zone=one;"),
        ],
    ),
    (
        "edge",
        "not-proxied",
        "'return 503'",
        [
            client(nginx_page("503 Service Temporarily Unavailable")),
            configuration("location / {", "location / {\n        return 503;"),
        ],
    ),
    (
        "edge",
        "configuration-broken",
        'unknown directive "serve" in /etc/nginx/conf.d/x.conf:3',
        [
            put(
                Answer(
                    "nginx -T", EDGE.name, 'nginx: [emerg] unknown directive "serve" in /etc/nginx/conf.d/x.conf:3\n'
                )
            ),
            client(nginx_page("502 Bad Gateway")),
        ],
    ),
]
