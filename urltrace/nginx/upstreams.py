"""The servers behind a proxy_pass, with their marks, and what nginx tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from urltrace.nginx.backends import Backend, backends_of
from urltrace.nginx.hops import through_hops
from urltrace.nginx.syntax import Directive
from urltrace.nginx.variables import substituted


@dataclass(frozen=True)
class Proxied:
    """Where a location sends requests.

    upstream: the name in proxy_pass. uri: what replaces the location's own path, '' when the request's path is passed
    as it came. host: the Host header that is sent, as it is written. unknown: why the servers can't be told.
    """

    scheme: str
    upstream: str
    uri: str
    backends: tuple[Backend, ...]
    host: str
    place: str
    unknown: str = ""

    @property
    def asked(self) -> tuple[Backend, ...]:
        """Those that nginx asks: backups only when every other is marked down."""
        up = [backend for backend in self.backends if not backend.down]
        return tuple([one for one in up if not one.backup] or up)


def proxied(main: Directive, blocks: Sequence[Directive]) -> Proxied | None:
    """What the innermost of `blocks` (server, location, …) proxies to; None when it has no proxy_pass of its own."""
    line = blocks[-1].first("proxy_pass")
    if line is None or not line.arguments:
        return None
    url = line.arguments[0]
    host = _host_header(main, blocks)
    if "$" in url:
        return Proxied("", url, "", (), host, line.place, unknown=f"{line} depends on a variable")
    parts = urlsplit(url)
    name = parts.netloc
    port = 443 if parts.scheme == "https" else 80
    asked = through_hops(main, backends_of(main.all("http"), name, port, line))
    return Proxied(parts.scheme, name, url.partition(name)[2] if parts.path else "", asked, host, line.place)


def effective(main: Directive, blocks: Sequence[Directive], name: str) -> tuple[Directive, ...]:
    """The directives of a name that hold in the innermost block: those of the nearest level that has any."""
    levels = (*main.all("http"), *blocks)
    return next((found for block in reversed(levels) if (found := block.all(name))), ())


def _host_header(main: Directive, blocks: Sequence[Directive]) -> str:
    for line in effective(main, blocks, "proxy_set_header"):
        if len(line.arguments) == 2 and line.arguments[0].lower() == "host":
            return line.arguments[1]
    return "$proxy_host"


def host_sent(main: Directive, proxied: Proxied, host: str) -> str:
    """The Host header that the backend gets for a request to `host`; '' when it can't be told."""
    bare = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    known = {"host": bare.lower(), "http_host": host, "proxy_host": proxied.upstream, "request": "GET / HTTP/1.1"}
    return substituted(proxied.host, known, main) or ""
