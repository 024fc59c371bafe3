"""What an nginx does with a request: its server, its location, and where that leads."""

from __future__ import annotations

from dataclasses import dataclass

from urltrace.nginx.locations import LocationChoice, choose_location
from urltrace.nginx.servers import ServerChoice, choose_server, http_servers
from urltrace.nginx.syntax import Directive
from urltrace.nginx.upstreams import Proxied, effective, proxied
from urltrace.nginx.uri import normalized_uri
from urltrace.request import Request, host_of

ANSWERS = ("return", "rewrite", "deny", "auth_basic", "auth_request", "limit_req", "limit_conn", "if")


@dataclass(frozen=True)
class NginxChoice:
    """How a request goes through an nginx.

    server: None when nothing listens at the address. location: None when nginx refuses the path with 400. proxied: None
    when nginx answers itself. rules: directives on the way that may answer before anything is proxied.
    """

    server: ServerChoice | None
    location: LocationChoice | None = None
    proxied: Proxied | None = None
    rules: tuple[Directive, ...] = ()
    body_limit: str = "1m"

    @property
    def sentence(self) -> str:
        if self.server is None:
            return "no server listens there"
        if self.location is None:
            return f"{self.server.sentence}; the path is refused (400)"
        return f"{self.server.sentence}; {self.location.sentence}"


def choose(main: Directive, request: Request, address: str = "", port: int = 80) -> NginxChoice:
    """What the nginx with this configuration does with a request that comes to `address`:`port`."""
    server = choose_server(http_servers(main), address, port, host_of(request.host))
    if server is None:
        return NginxChoice(None)
    block = server.server.block
    # read before the name is known: the socket's default server says it for all
    merging = effective(main, [server.socket_default.block], "merge_slashes")
    uri = normalized_uri(request.path, merge_slashes=not merging or merging[-1].arguments != ("off",))
    if uri is None:
        return NginxChoice(server)
    location = choose_location(block, uri)
    blocks = [block, *(one.block for one in location.locations)]
    limit = effective(main, blocks, "client_max_body_size")
    return NginxChoice(
        server=server,
        location=location,
        proxied=proxied(main, blocks),
        rules=_rules(main, blocks),
        body_limit=limit[-1].arguments[0] if limit and limit[-1].arguments else "1m",
    )


def _rules(main: Directive, blocks: list[Directive]) -> tuple[Directive, ...]:
    """What may answer first: `return` and its kind of every block on the way, the rest by inheritance."""
    own = [line for block in blocks for name in ("return", "rewrite", "if") for line in block.all(name)]
    inherited = [line for name in ANSWERS[2:-1] for line in effective(main, blocks, name)]
    return (*own, *inherited)
