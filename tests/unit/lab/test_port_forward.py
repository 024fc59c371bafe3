"""What becomes of a browser's request on its way into the lab."""

from __future__ import annotations

import socket

import pytest

from lab.port_forward import Head, RefusedError, _listen, addresses, site_name
from provision.errors import InputError


def lines(raw: bytes) -> list[str]:
    return raw.decode().split("\r\n")


def test_the_name_that_the_browser_used_becomes_the_sites() -> None:
    head = Head(b"GET /dashboard/ HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\nConnection: keep-alive\r\n")
    assert lines(head.replaced("/dashboard/", "traefik.od.com")) == [
        "GET /dashboard/ HTTP/1.1",
        "Host: traefik.od.com",
        "Connection: close",
        "Accept: */*",
        "",
        "",
    ]


def test_an_upgrade_keeps_its_connection_header() -> None:
    head = Head(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket")
    assert "Connection: Upgrade" in lines(head.replaced("/ws", "demo.od.com"))
    assert "Connection: close" not in lines(head.replaced("/ws", "demo.od.com"))


def test_what_is_meant_for_the_proxy_alone_goes_no_further() -> None:
    head = Head(b"GET http://demo.od.com/ HTTP/1.1\r\nHost: demo.od.com\r\nProxy-Connection: keep-alive")
    assert not any(line.lower().startswith("proxy") for line in lines(head.replaced("/", "demo.od.com")))


@pytest.mark.parametrize("raw", [b"", b"hello", b"GET /", b"\x16\x03\x01 tls"])
def test_what_is_no_http_is_refused(raw: bytes) -> None:
    with pytest.raises(RefusedError):
        Head(raw)


def test_a_taken_port_is_bad_input_that_says_how_to_choose_another() -> None:
    import asyncio

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="--port"):
        asyncio.run(_listen(never, taken.getsockname()[1]))


@pytest.mark.parametrize(
    ("asked", "host"),
    [
        ("demo.localhost:8080", "demo.od.com"),
        ("Traefik.localhost", "traefik.od.com"),
        ("a.b.localhost:1", "a.b.od.com"),
        ("demo.localhost.:8080", "demo.od.com"),
        ("localhost:8080", ""),
        (".localhost", ""),
        ("127.0.0.1:8080", ""),
        ("[::1]:8080", ""),
        ("demo.od.com", ""),
        ("demo.localhost.evil.com", ""),
        ("", ""),
    ],
)
def test_names_below_localhost_are_names_of_the_site(asked: str, host: str) -> None:
    assert site_name(asked, ".od.com") == host


def test_every_address_is_printed_with_the_name_it_serves() -> None:
    said = [line.split() for line in addresses("traefik.example.org", 8080, 8081)]
    assert ["http://127.0.0.1:8080/dashboard/", "traefik.example.org"] in said
    assert ["http://traefik.localhost:8080/dashboard/", "traefik.example.org"] in said
    assert ["http://demo.localhost:8080/", "demo.example.org"] in said
    assert ["http://nginx.localhost:8080/", "nginx.example.org"] in said


def test_another_host_is_served_as_127_0_0_1() -> None:
    said = [line.split() for line in addresses("shop.od.com", 9000, 8081)]
    assert ["http://127.0.0.1:9000/", "shop.od.com"] in said
    assert ["http://shop.localhost:9000/", "shop.od.com"] in said
