"""A request that nginx passes to itself, to a stream server, goes on to the servers behind that one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from urltrace.nginx.choice import choose
from urltrace.nginx.syntax import parse_dump
from urltrace.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

HOP, LAST = "127.0.0.2:1081", "127.0.0.2:1082"
# as role edge has it
SITE = f"""
http {{
    upstream sites {{ server {HOP} max_fails=0; server {LAST} max_fails=0 backup; }}
    server {{ listen 80; location / {{ proxy_pass http://sites; }} }}
}}
"""
NODES = f"""
    upstream nodes {{ server 10.4.7.21:81; server 10.4.7.22:81 down; server {LAST} backup; }}
    server {{ listen {HOP} backlog=4096; proxy_pass nodes; }}
"""
EVERY = f"""
    upstream every_node {{ server 10.4.7.21:81; server 10.4.7.22:81; }}
    server {{ listen {LAST}; proxy_pass every_node; }}
"""
DIRECT = f"server {{ listen {HOP}; proxy_pass 10.4.7.21:81; }}"
LOOP = f"upstream nodes {{ server {HOP}; }} server {{ listen {HOP}; proxy_pass nodes; }}"


@pytest.mark.parametrize(
    ("stream", "ends"),
    [
        (NODES + EVERY, ["10.4.7.21:81", "10.4.7.22:81 down"]),
        (NODES, ["10.4.7.21:81", "10.4.7.22:81 down", f"{LAST} backup"]),
        (DIRECT, ["10.4.7.21:81", f"{LAST} backup"]),
        (LOOP, [HOP, f"{LAST} backup"]),
        ("", [HOP, f"{LAST} backup"]),
    ],
)
def test_the_servers_behind_a_hop(stream: str, ends: Sequence[str]) -> None:
    text = f"# configuration file /etc/nginx/nginx.conf:\n{SITE}\nstream {{ {stream} }}\n"
    proxied = choose(parse_dump(text), Request("demo.od.com")).proxied
    assert proxied is not None
    assert [str(backend) for backend in proxied.backends] == ends
