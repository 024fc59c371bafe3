"""How nginx takes in a configuration."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from provision.remote.shell import Scripts
from provision.resources.configset.activation import LoadBalancer
from provision.resources.configset.marks import mark, marked_lines, replace_marks

_SCRIPTS = Scripts(__file__)
RELEASE = "release.conf"
_SERVER = re.compile(rb"^[ \t]*server[ \t]+([^\s;{]+)", re.M)  # in an upstream; a block's has none behind it
DOWN = b" down"  # of a server in an upstream: gets no new request, and running ones end (measured with 1.22.1)


@dataclass(frozen=True)
class Nginx(LoadBalancer):
    """`nginx -t` on the staged tree, reload, and proof that the new configuration runs.

    `nginx -s reload` returns 0 although the new configuration could not bind, and the old one goes on serving: only a
    new worker, no old one that still accepts, and no last [emerg] since the reload prove that it was taken
    (measured with 1.22.1).

    A template marks a server before the semicolon: `server 10.4.7.21:81 max_fails=3{{ drain(node) }};`.

    answer: ADDRESS:PORT where only the running configuration says which set it is. The set then has a server for it,
    release.conf, that the main file has to include: `include site/release.conf;`.

    replaces: the unit of another program on the same ports, which makes room for this one.
    """

    answer: str = ""
    replaces: str = ""
    service: str = "nginx"
    error_log: str = "/var/log/nginx/error.log"
    pidfile: str = "/run/nginx.pid"
    executable: str = "/usr/sbin/nginx"

    def renew(self) -> str:
        """sh that has the installed binary take over from the one that runs; no connection is refused or cut."""
        return _SCRIPTS.call("nginx_renew", self.executable, PIDFILE=self.pidfile, ERROR_LOG=self.error_log)

    def older(self) -> str:
        return _SCRIPTS.call("nginx_older")

    def complete(self) -> str:
        return _SCRIPTS.call("nginx_release", ANSWER=self.answer, RELEASE=RELEASE) if self.answer else ":"

    def completes(self, name: str) -> bool:
        return bool(self.answer) and name == RELEASE

    def with_drained(self, content: bytes, drained: Collection[str]) -> bytes:
        return replace_marks(content, lambda host: DOWN if host in drained else b"")

    def with_marks(self, content: bytes, declared: bytes) -> bytes:
        for server, host in marked_lines(declared).items():
            line = re.compile(rb"^" + re.escape(server) + rb"(?:%s)?(?=;)" % DOWN, re.M)
            content = line.sub((server + mark(host).encode()).replace(b"\\", rb"\\"), content)
        return content

    def servers(self, content: bytes) -> frozenset[bytes]:
        return frozenset(_SERVER.findall(content))

    def validate(self) -> str:
        return _SCRIPTS.call("nginx_validate")

    def handover(self) -> str:
        if not self.replaces:
            return ""
        return _SCRIPTS.text("serves") + _SCRIPTS.call("handover", OTHER=self.replaces)

    def activate(self) -> str:
        return (
            _SCRIPTS.text("serves")
            + _SCRIPTS.text("make_room")
            + _SCRIPTS.call(
                "nginx_activate",
                OTHER=self.replaces,
                SERVICE=self.service,
                PIDFILE=self.pidfile,
                ERROR_LOG=self.error_log,
                ANSWER=self.answer,
                RELEASE=RELEASE,
            )
        )
