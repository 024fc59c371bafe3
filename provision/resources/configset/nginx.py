"""How nginx takes in a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from provision.remote.shell import Scripts
from provision.resources.configset.activation import LoadBalancer

_SCRIPTS = Scripts(__file__)
RELEASE = "release.conf"


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
    # of a server in an upstream: it gets no new request, and running ones end (measured with 1.22.1)
    out: ClassVar[bytes] = b" down"
    out_ends: ClassVar[bytes] = rb";"
    # of an upstream; a block's word has no server behind it
    server: ClassVar[re.Pattern[bytes]] = re.compile(rb"^[ \t]*server[ \t]+([^\s;{]+)", re.M)

    def renew(self) -> str:
        """sh that has the installed binary take over from the one that runs; no connection is refused or cut."""
        return _SCRIPTS.call("nginx_renew", self.executable, PIDFILE=self.pidfile, ERROR_LOG=self.error_log)

    def older(self) -> str:
        return _SCRIPTS.call("nginx_older")

    def complete(self) -> str:
        return _SCRIPTS.call("nginx_release", ANSWER=self.answer, RELEASE=RELEASE) if self.answer else ":"

    def completes(self, name: str) -> bool:
        return bool(self.answer) and name == RELEASE

    def validate(self) -> str:
        return _SCRIPTS.call("nginx_validate")

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
