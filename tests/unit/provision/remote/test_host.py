"""Reaching a host: sockets that wait for nothing, and connections that are begun early."""

from __future__ import annotations

import socket

import pytest

from provision.errors import UnreachableError
from provision.remote.host import RemoteHost
from provision.remote.login import Login
from provision.remote.prompt_socket import PromptSocket


def quick_after_a_talk(client: socket.socket, peer: socket.socket) -> bool:
    """Whether a side that asks and is answered, again and again, acknowledges answers at once."""
    for _ in range(3):
        client.sendall(b"question")
        peer.recv(100)
        peer.sendall(b"answer")
        assert client.recv(100) == b"answer"
    return bool(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK))


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), 5)
        return client, server.accept()[0]


def test_a_prompt_socket_acknowledges_at_once_during_a_talk() -> None:
    plain, peer = pair()
    with plain, peer:
        assert not quick_after_a_talk(plain, peer)
    given, peer = pair()
    with PromptSocket.of(given) as prompt, peer:
        assert prompt.gettimeout() == 5
        assert quick_after_a_talk(prompt, peer)


def test_what_a_begun_connection_failed_of_is_raised_by_session() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    remote = RemoteHost(Login("one", "127.0.0.1", port))
    remote.begin()
    with pytest.raises(UnreachableError, match="connection refused"):
        remote.session()
    assert (remote.connections, remote.execs) == (0, 0)
