"""How a host is reached: the login as plain data, Fabric's connections made strict, and the errors of a login."""

from __future__ import annotations

import base64
import contextlib
import importlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Never

from provision.errors import InputError, UnreachableError
from provision.home import expanded
from provision.inventory.access import FABRIC, OPENSSH
from provision.remote import refusals
from provision.remote.host_keys import HostKey
from provision.remote.known_hosts import REVOKED, known_of, name_of
from provision.remote.prompt_socket import PromptSocket

if TYPE_CHECKING:
    from provision.inventory import Host
    from provision.inventory.ssh_args import Jump

KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")

Dial = Callable[[str, int, float], socket.socket]


@dataclass(frozen=True)
class Login:
    """How a host is reached: plain data, so that it can travel to another thread or process.

    jumps: the first hop first. dial: `module:function [argument …]`, or ''. timeout: seconds.
    local: it is the controller itself, and not connected to. transport: FABRIC or OPENSSH.
    port_left: nobody has given a port, so ssh_config may say another one. fresh: over a connection that nobody kept.
    """

    name: str
    address: str
    port: int = 22
    user: str | None = None
    key_files: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    become_user: str | None = None
    become_password: str | None = field(default=None, repr=False)
    jumps: tuple[Jump, ...] = ()
    known_hosts: tuple[str, ...] = KNOWN_HOSTS
    dial: str = ""
    timeout: float = 10.0
    local: bool = False
    transport: str = FABRIC
    port_left: bool = False
    fresh: bool = False

    @property
    def place(self) -> str:
        """Where it is, for an error: `10.4.7.11:22`."""
        return "on this machine" if self.local else f"{self.address}:{self.port}"

    @staticmethod
    def of(
        host: Host, *, user: str | None, key: str | None, become_password: str | None, transport: str | None = None
    ) -> Login:
        """The login that the inventory describes; the arguments are the command line's and win.

        Raises InputError for a password where ssh, which is run without a terminal, would have to ask for it.
        """
        known = host.access.known_hosts
        transport = transport or host.access.transport
        if transport == OPENSSH and host.password and not host.local:
            raise InputError(
                "ansible_password can't be used with transport openssh",
                host=host.name,
                line=host.origin("ansible_password"),
                found="ssh would ask for it on a terminal",
                do="Use a key or an agent, or --transport fabric for this host",
            )
        become = bool(host.become)
        return Login(
            name=host.name,
            address=host.address,
            port=host.port,
            user=user or host.user,
            key_files=tuple(str(expanded(k)) for k in (key or host.private_key,) if k),
            password=host.password,
            become_user=host.become_user if become else None,
            become_password=become_password or host.become_password,
            jumps=host.jumps,
            known_hosts=(known,) if known else KNOWN_HOSTS,
            dial=host.access.dial,
            timeout=host.timeout,
            local=host.local,
            transport=transport,
            port_left=host.access.port_left,
        )


def hops(login: Login) -> list[Any]:
    """Fabric connections from the first jump host to the host itself, not yet open, each strict about host keys."""
    import logging

    from fabric import Connection as Fabric

    # we print errors ourselves: without a handler paramiko's threads print tracebacks of their own
    logging.getLogger("paramiko").handlers = [logging.NullHandler()]
    arguments: dict[str, Any] = {
        "timeout": login.timeout,
        "banner_timeout": login.timeout,
        "auth_timeout": login.timeout,
    }
    if login.key_files:
        arguments |= _key_arguments(login.key_files)
    if login.password:
        arguments["password"] = login.password
    chain: list[Any] = []
    for jump in login.jumps:
        own = _key_arguments((str(expanded(jump.key)),)) if jump.key else {}
        chain.append(
            Fabric(
                jump.host,
                user=jump.user,
                port=jump.port,
                gateway=chain[-1] if chain else None,
                connect_kwargs={**arguments, **own},
            )
        )
    target = Fabric(
        login.address,
        user=login.user,
        port=login.port,
        gateway=chain[-1] if chain else None,
        connect_kwargs=dict(arguments),
    )
    if not chain and target.gateway is not None and not isinstance(target.gateway, str):
        chain.append(target.gateway)  # ProxyJump of the user's ssh_config
    chain.append(target)
    for hop in chain:
        _strict(hop, login)
    return chain


def _key_arguments(files: Sequence[str]) -> dict[str, Any]:
    return {"key_filename": list(files), "allow_agent": False, "look_for_keys": False}


def offered_key(login: Login) -> tuple[str, HostKey]:
    """The host's name in known_hosts, and the key that its sshd shows; nobody logs in. Jump hosts are logged in to,
    strictly.

    Raises UnreachableError.
    """
    import paramiko

    *before, last = hops(login)
    transport = None
    try:
        if before:
            before[0].connect_kwargs["sock"] = first_socket(before[0], login)
            for hop in before:
                hop.open()
            channel = before[-1].transport.open_channel(
                "direct-tcpip", (last.host, last.port), ("", 0), timeout=login.timeout
            )
        else:
            channel = first_socket(last, login)
        transport = paramiko.Transport(channel)
        transport.start_client(timeout=login.timeout)
        return name_of(login.address, login.port), HostKey.of(transport.get_remote_server_key())
    except Exception as error:
        raise unreachable(login, error) from None
    finally:
        for each in (transport, *reversed(before)):
            if each is not None:
                each.close()


def _strict(hop: Any, login: Login) -> None:
    """Refuses unknown and revoked host keys: Fabric accepts them, on each gateway's connection too."""
    from paramiko import PKey, RejectPolicy, SSHException
    from paramiko.pkey import UnknownKeyType

    known = known_of(map(expanded, login.known_hosts), hop.host, hop.port)

    class Refuse(RejectPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> Never:
            if HostKey.of(key) in known.revoked:
                raise SSHException(f"{REVOKED} {HostKey.of(key).fingerprint}")
            super().missing_host_key(client, hostname, key)

    hop.client.set_missing_host_key_policy(Refuse())
    for each in known.keys:
        with contextlib.suppress(UnknownKeyType, SSHException, ValueError):  # a line that OpenSSH skips too
            key = PKey.from_type_string(each.kind, base64.b64decode(each.base64))
            hop.client.get_host_keys().add(name_of(hop.host, hop.port), each.kind, key)


def first_socket(hop: Any, login: Login) -> socket.socket:
    """The first hop's socket: no waiting on either side, keepalive, by the dialer that the inventory may name."""
    sock = PromptSocket.of(dialer(login.dial)(hop.host, hop.port, login.timeout))
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ):
        sock.setsockopt(level, option, value)
    return sock


def dialer(spec: str) -> Dial:
    """The function that `module:function [argument …]` names, its arguments after host, port and timeout."""
    if not spec:
        return lambda host, port, timeout: socket.create_connection((host, port), timeout)
    name, *arguments = spec.split()
    module, _, function = name.partition(":")
    dial = getattr(importlib.import_module(module), function)
    return lambda host, port, timeout: dial(host, port, timeout, *arguments)


def unreachable(login: Login, error: Exception) -> UnreachableError:
    """The error for each way a login can fail, with what to do about it."""
    import paramiko

    if isinstance(error, UnreachableError):
        return error
    if isinstance(error, paramiko.BadHostKeyException):
        shown, known = HostKey.of(error.key).fingerprint, HostKey.of(error.expected_key).fingerprint
        return refusals.changed_key(login, f"{error.hostname} now shows the key {shown}, known is {known}")
    if isinstance(error, paramiko.AuthenticationException):
        return refusals.not_let_in(login, str(error))
    if isinstance(error, paramiko.SSHException) and "not found in known_hosts" in str(error):
        return refusals.unknown_key(login)
    if isinstance(error, paramiko.SSHException) and str(error).startswith(REVOKED):
        return refusals.revoked_key(login, str(error).removeprefix(REVOKED).strip())
    return refusals.not_logged_in(login, _plain(error))


# paramiko's words for a peer that sent no banner in time: its own, and those of who waited for it
SILENT = frozenset({"Error reading SSH protocol banner", "No existing session"})


def _plain(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return refusals.NO_ANSWER
    if isinstance(error, ConnectionRefusedError):
        return refusals.NOBODY_LISTENS
    if str(error) in SILENT:
        return refusals.SILENT_SSHD
    return str(error) or type(error).__name__
