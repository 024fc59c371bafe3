"""How this machine's own browser sees the lab's site: two ports on 127.0.0.1, as long as the command runs.

The first serves NAME.DOMAIN of the site as NAME.localhost, which browsers take for 127.0.0.1, and one chosen name of
the site for any other. The second is an HTTP proxy for all names of the site's domain and all addresses of the lab's
network. Every request gets a connection of its own into the lab.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from lab import network
from lab.state import Lab
from provision.errors import FailedError, InputError
from provision.usage import usage

LOCAL = "127.0.0.1"
LOCALHOST = ".localhost"
DASHBOARD = "traefik"
SITES = ("demo", "nginx")  # what the course's site serves beside Traefik's dashboard
HTTP, HTTPS = 80, 443
CONNECT_SECONDS = 5.0
LONGEST_HEAD = 1 << 16
CHUNK = 1 << 16


class RefusedError(Exception):
    """What the browser gets instead of the site's answer: status line and reason."""


class Head:
    """The head of one request. Raises RefusedError when it is none."""

    def __init__(self, raw: bytes) -> None:
        lines = raw.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3:
            raise RefusedError("400 Bad Request", "that is no HTTP request")
        self.method, self.target, self.version = words
        self.fields = [line.partition(":")[::2] for line in lines[1:] if line]

    def field(self, name: str) -> str:
        """A header field's value, or ''."""
        return next((value.strip() for key, value in self.fields if key.lower() == name), "")

    def replaced(self, target: str, host: str) -> bytes:
        """The request for the site: its target and Host, and one request a connection (an upgrade keeps its own)."""
        dropped = {"host", "proxy-connection", "proxy-authorization"}
        added = [("Host", host)]
        if not self.field("upgrade"):
            dropped.add("connection")
            added.append(("Connection", "close"))
        kept = [(key, value.strip()) for key, value in self.fields if key.lower() not in dropped]
        lines = [f"{self.method} {target} {self.version}", *(f"{key}: {value}" for key, value in added + kept)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Gate:
    """The way into a lab. host: the name of the site that the first port serves as 127.0.0.1.

    tls: how the edge is asked where it answers https, and http only leads there; None: it does not.
    """

    def __init__(self, lab: Lab, host: str, domain: str, tls: ssl.SSLContext | None = None) -> None:
        self._lab, self._host, self._tls = lab, host, tls
        self._topology = lab.topology()
        self._domain = f".{domain}"

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """Answer one request to the first port."""
        head = Head(await _head(reader))
        target = head.target if head.target.startswith("/") else urlsplit(head.target).path or "/"
        host = site_name(head.field("host"), self._domain) or self._host
        port = HTTPS if self._tls else HTTP
        secured = host if self._tls else ""
        await self._pass(reader, writer, self._topology.edge, port, head.replaced(target, host), secured)

    async def proxy(self, reader: Reader, writer: Writer) -> None:
        """Answer one request to the proxy: CONNECT makes a tunnel, anything else is asked in the browser's place."""
        head = Head(await _head(reader))
        if head.method == "CONNECT":
            name, _, port = head.target.rpartition(":")
            await self._pass(reader, writer, self._where(name), int(port) if port.isdecimal() else HTTP, b"")
            return
        url = urlsplit(head.target)
        if url.scheme != "http" or not url.hostname:
            raise RefusedError("400 Bad Request", "this port is an HTTP proxy: set it as such in the browser")
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        await self._pass(reader, writer, self._where(url.hostname), url.port or HTTP, head.replaced(target, url.netloc))

    def _where(self, name: str) -> str:
        """The address that a name of the site leads to: the edge's, or an address of the lab itself."""
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(name) in ipaddress.ip_network(self._topology.network):
                return name
        if name.endswith(self._domain):
            return self._topology.edge
        raise RefusedError(
            "403 Forbidden", f"{name} is no name of the lab: only *{self._domain} and {self._topology.network}"
        )

    async def _pass(
        self, reader: Reader, writer: Writer, address: str, port: int, head: bytes, secured: str = ""
    ) -> None:
        """secured: the name of the handshake, '' for none."""
        try:
            dialled = await asyncio.to_thread(network.dial_in, self._lab, address, port, CONNECT_SECONDS)
        except (OSError, FailedError) as error:
            raise RefusedError("502 Bad Gateway", f"{address}:{port} in the lab did not answer: {error}") from None
        dialled.setblocking(False)
        tls = self._tls if secured else None
        there, back = await asyncio.open_connection(sock=dialled, ssl=tls, server_hostname=secured or None)
        try:
            if head:
                back.write(head)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            back.close()


def open_site(
    name: str = "main",
    port: int = 8080,
    proxy_port: int = 8081,
    host: str = "",
    say: Callable[[str], None] = print,
) -> None:
    """Forward until interrupted. Raises InputError for a port that is taken, FailedError when the lab is down.

    host: the name of the site to serve as 127.0.0.1, by default Traefik's; the proxy serves its domain.
    """
    lab = Lab.named(name)
    if lab.daemon_process() is None:
        raise FailedError(f"the lab {name} is down", do=f"Start it: {usage(f'lab.up{lab.option}')}")
    default = f"{DASHBOARD}.{lab.topology().domain}"
    host = host or default
    domain = host.partition(".")[2]
    gate = Gate(lab, host, domain, _tls(lab, host))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(gate, port, proxy_port, lambda: list(map(say, addresses(host, port, proxy_port)))))


def _tls(lab: Lab, host: str) -> ssl.SSLContext | None:
    """How the edge of a lab is asked by https, whatever its certificate is; None where it does not answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        dialled = network.dial_in(lab, lab.topology().edge, HTTPS, CONNECT_SECONDS)
        with context.wrap_socket(dialled, server_hostname=host):
            return context
    except (OSError, FailedError):
        return None


def site_name(asked: str, domain: str) -> str:
    """The site's name for the Host of a request, 'demo.localhost:8080' -> 'demo.od.com'; '' for another Host.

    domain: with the dot before it.
    """
    name = asked.rpartition(":")[0] if asked.rpartition(":")[2].isdecimal() else asked
    name = name.lower().rstrip(".")
    return name.removesuffix(LOCALHOST) + domain if name.endswith(LOCALHOST) and name != LOCALHOST else ""


def addresses(host: str, port: int, proxy_port: int) -> list[str]:
    """The lines that say what is served where."""
    first, _, domain = host.partition(".")
    page = "dashboard/" if first == DASHBOARD else ""
    names = dict.fromkeys((first, DASHBOARD, *SITES))
    rows = [(f"http://{LOCAL}:{port}/{page}", host)]
    rows += [(f"http://{n}{LOCALHOST}:{port}/{'dashboard/' if n == DASHBOARD else ''}", f"{n}.{domain}") for n in names]
    width = max(len(url) for url, _ in rows)
    return [
        "Open in a browser on this machine; Ctrl-C stops serving:",
        *(f"  {url:{width}}  {name}" for url, name in rows),
        f"  {f'http://NAME{LOCALHOST}:{port}/':{width}}  NAME.{domain}",
        f"HTTP proxy for *.{domain}: {LOCAL}:{proxy_port}",
    ]


async def _serve(gate: Gate, port: int, proxy_port: int, ready: Callable[[], object]) -> None:
    first, second = await _listen(gate.serve, port), await _listen(gate.proxy, proxy_port)
    async with first, second:
        ready()
        await asyncio.gather(first.serve_forever(), second.serve_forever())


async def _listen(serve: Callable[[Reader, Writer], Awaitable[None]], port: int) -> asyncio.Server:
    async def connected(reader: Reader, writer: Writer) -> None:
        try:
            await serve(reader, writer)
        except RefusedError as refused:
            status, reason = refused.args
            body = f"{reason}\n".encode()
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close"
            writer.write(head.encode() + b"\r\n\r\n" + body)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one side closed its connection: there is nobody to answer
        finally:
            writer.close()

    try:
        return await asyncio.start_server(connected, LOCAL, port, limit=LONGEST_HEAD)
    except OSError as error:
        raise InputError(
            f"{LOCAL}:{port} can't be listened on",
            found=error.strerror or str(error),
            do="Choose another port: --port and --proxy-port",
        ) from None


async def _head(reader: Reader) -> bytes:
    return (await reader.readuntil(b"\r\n\r\n"))[:-4]


async def _copy(reader: Reader, writer: Writer) -> None:
    """One direction, to its end; the other may go on."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof():  # TLS has no half-closed connections
            writer.write_eof()
