"""The server block that nginx chooses for an address, a port and a name, and why.

Source: https://nginx.org/en/docs/http/server_names.html and request_processing.html; tried with nginx 1.22.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from urltrace.nginx.regexp import compile_pcre
from urltrace.nginx.syntax import ConfigurationError, Directive

ANY = "*"
ADDRESS = re.compile(r"(?P<address>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(?P<port>\d+(?:-\d+)?))?")
ONLY_PORT = re.compile(r"\d+(-\d+)?")


@dataclass(frozen=True)
class Listen:
    """One `listen`. address: '*' for every IPv4 address, '[::]' for every IPv6 one."""

    address: str
    ports: tuple[int, int]
    default: bool = False
    tls: bool = False
    place: str = ""

    def holds(self, port: int) -> bool:
        return self.ports[0] <= port <= self.ports[1]

    def __str__(self) -> str:
        first, last = self.ports
        return f"{self.address}:{first}{f'-{last}' if last != first else ''}"


@dataclass(frozen=True)
class Server:
    """A `server` block of http."""

    names: tuple[str, ...]
    listens: tuple[Listen, ...]
    block: Directive

    @property
    def place(self) -> str:
        return self.block.place

    @property
    def title(self) -> str:
        return f"server_name {' '.join(self.names)}" if any(self.names) else "a server without a name"


@dataclass(frozen=True)
class ServerChoice:
    """The server of a request. default: it has it because no name matched. others: what else listens there.

    socket_default: who takes what no name matches. shadowed: servers of the same name, which nginx ignores. unread: why
    a name could not be judged, so that the choice is not sure.
    """

    server: Server
    listen: Listen
    matched: str
    default: bool
    socket_default: Server
    others: tuple[Server, ...] = ()
    shadowed: tuple[Server, ...] = ()
    unread: str = ""

    @property
    def sentence(self) -> str:
        """Why it is this one."""
        if not self.default:
            return f"server_name {self.matched} in {self.server.place}"
        chosen = "default_server" if self.listen.default else "the first server"
        return f"{chosen} of {self.listen} in {self.server.place}, because no server_name matches"


def http_servers(main: Directive) -> tuple[Server, ...]:
    """Every server of every http block, in the order that nginx reads them."""
    blocks = [server for http in main.all("http") for server in http.all("server")]
    return tuple(_server(block) for block in blocks)


def _server(block: Directive) -> Server:
    names = tuple(name for line in block.all("server_name") for name in line.arguments) or ("",)
    listens = tuple(found for line in block.all("listen") if (found := _listen(line)))
    unsaid = () if block.first("listen") else (Listen(ANY, (80, 80), place=block.place),)
    return Server(names, listens or unsaid, block)


def _listen(line: Directive) -> Listen | None:
    """None for a socket of a file."""
    if not line.arguments or line.arguments[0].startswith("unix:"):
        return None
    said = line.arguments[0]
    found = ADDRESS.fullmatch(f"{ANY}:{said}" if ONLY_PORT.fullmatch(said) else said)
    if not found:
        raise ConfigurationError(f"{line.place}: '{line}' can't be read")
    address, port = found["address"], found["port"] or "80"
    if address == "0.0.0.0":
        address = ANY
    first, _, last = port.partition("-")
    words = line.arguments[1:]
    return Listen(
        address=address.lower(),
        ports=(int(first), int(last or first)),
        default="default_server" in words or "default" in words,
        tls="ssl" in words,
        place=line.place,
    )


def choose_server(servers: Sequence[Server], address: str, port: int, host: str) -> ServerChoice | None:
    """Who answers for `host` at `address`:`port`; None when nothing listens there. address: '' for any."""
    held = _listening(servers, address, port)
    if not held:
        return None
    name = host.lower().removesuffix(".")
    unread: list[str] = []
    found = _named([server for server, _ in held], name, unread)
    default = next((pair for pair in held if pair[1].default), held[0])
    server, matched = found[0] if found else (default[0], "")
    listen = next(listen for held_server, listen in held if held_server is server)
    return ServerChoice(
        server=server,
        listen=default[1] if not found else listen,
        matched=matched,
        default=not found,
        socket_default=default[0],
        others=tuple(other for other, _ in held if other is not server),
        shadowed=tuple(other for other, same in found[1:] if same == matched and other is not server),
        unread="; ".join(unread),
    )


def _listening(servers: Iterable[Server], address: str, port: int) -> list[tuple[Server, Listen]]:
    """The servers of the socket that takes the connection: one of the address itself comes before one of all."""
    pairs = [(server, listen) for server in servers for listen in server.listens if listen.holds(port)]
    wanted = f"[{address}]" if ":" in address else address
    exact = [pair for pair in pairs if pair[1].address == wanted.lower()]
    return exact or [pair for pair in pairs if pair[1].address == ("[::]" if ":" in address else ANY)]


def _named(servers: Sequence[Server], host: str, unread: list[str]) -> list[tuple[Server, str]]:
    """The servers with the name that nginx prefers, the one that it takes first."""
    pairs = [(server, name) for server in servers for name in server.names]
    exact = [pair for pair in pairs if _bare(pair[1]) == host]
    leading = [pair for pair in pairs if (end := _ending(pair[1])) and host.endswith(end) and host != end]
    trailing = [pair for pair in pairs if pair[1].endswith(".*") and host.startswith(pair[1][:-1].lower())]
    if exact:
        return exact
    for wildcards in (leading, trailing):
        if wildcards:
            longest = max(len(name.strip("*").strip(".")) for _, name in wildcards)
            return [pair for pair in wildcards if len(pair[1].strip("*").strip(".")) == longest]
    return [pair for pair in pairs if pair[1].startswith("~") and _matches(pair[1][1:], host, unread)]


def _bare(name: str) -> str:
    """The name that an exact match wants; `.od.com` stands for od.com too."""
    return name.lower().removeprefix(".") if not name.startswith("~") else "~"


def _ending(name: str) -> str:
    if name.startswith("*."):
        return name[1:].lower()
    return name.lower() if name.startswith(".") else ""


def _matches(pattern: str, host: str, unread: list[str]) -> bool:
    try:
        # nginx ignores the case of a name's pattern that holds a capital
        flags = re.IGNORECASE if pattern != pattern.lower() else 0
        return bool(compile_pcre(pattern, flags).search(host))
    except ValueError as error:
        unread.append(f"server_name ~{pattern}: {error}")
        return False
