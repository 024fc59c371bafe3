"""How HAProxy takes in a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from provision.remote.shell import Scripts
from provision.resources.configset.activation import LoadBalancer

_SCRIPTS = Scripts(__file__)
MAIN = "haproxy.cfg"
RELEASE = "release"
USERS, USERS_LIST = "users.d", "users.list"


@dataclass(frozen=True)
class HAProxy(LoadBalancer):
    """`haproxy -c` on the staged tree, then a reload; or, where only drained hosts differ, the running program alone.

    A template marks a server behind its address: `server hdss7-21 10.4.7.21:81{{ drain(node) }} check`. In the file the
    mark is `disabled`, so that a crash, a reload and a reboot all start with the same hosts left out; the running
    process gets it by its socket. That empties the pool of idle connections to the host. A host that comes back is down
    until its own check has passed (measured with 2.6.12).

    answer: ADDRESS:PORT where the running configuration says what it was made of: the main file has to answer there
    with the file site/release, which `complete` adds. socket: level admin. state_file: where checks' results are kept
    over a reload (`server-state-file`).

    replaces: the unit of another program on the same ports, which makes room for this one.

    HAProxy knows no include, and its main file is everybody's to read. Parts that are not lie elsewhere: a set names
    them in users.list, a path a line, and `complete` links them into the folder `users`, which the unit has to give the
    program beside the main file (`-f`). So they are swapped and come back with the set.
    """

    answer: str
    replaces: str = ""
    service: str = "haproxy"
    error_log: str = "journalctl -u haproxy"
    pidfile: str = "/run/haproxy.pid"
    executable: str = "/usr/sbin/haproxy"
    socket: str = "/run/haproxy/admin.sock"
    state_file: str = "/run/haproxy/server-state"
    users: str = f"/etc/haproxy/site/{USERS}"
    # of a server: in maintenance from the start, by whatever the process was started
    out: ClassVar[bytes] = b" disabled"
    out_ends: ClassVar[bytes] = rb"[ \n]|\Z"
    server: ClassVar[re.Pattern[bytes]] = re.compile(rb"^[ \t]*server[ \t]+\S+[ \t]+([^\s\x01]+)", re.M)

    def older(self) -> str:
        return _SCRIPTS.call("haproxy_older", PIDFILE=self.pidfile)

    def complete(self) -> str:
        return _SCRIPTS.text("haproxy_digest") + _SCRIPTS.call(
            "haproxy_complete", RELEASE=RELEASE, USERS=USERS, USERS_LIST=USERS_LIST
        )

    def completes(self, name: str) -> bool:
        return name == RELEASE

    def validate(self) -> str:
        return _SCRIPTS.call("haproxy_validate", EXECUTABLE=self.executable, MAIN=MAIN, USERS=USERS)

    def activate(self) -> str:
        return (
            _SCRIPTS.text("haproxy_digest")
            + _SCRIPTS.text("haproxy_servers")
            + _SCRIPTS.text("serves")
            + _SCRIPTS.text("make_room")
            + _SCRIPTS.call(
                "haproxy_activate",
                SERVICE=self.service,
                PIDFILE=self.pidfile,
                ANSWER=self.answer,
                RELEASE=RELEASE,
                SOCKET=self.socket,
                MAIN=MAIN,
                USERS=self.users,
                STATE_FILE=self.state_file,
                OTHER=self.replaces,
            )
        )

    def count_connections(self, address: str, port: int) -> str:
        return _SCRIPTS.call("haproxy_connections", f"{address}:{port}", SOCKET=self.socket)
