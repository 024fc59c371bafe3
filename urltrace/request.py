"""The request that is traced."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from provision.errors import InputError

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
LABEL = r"[A-Za-z0-9_-]{1,63}"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*\.?|\[[0-9A-Fa-f:.]+\]")
CREDENTIALS = re.compile(r"//.*@")
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Request:
    """One request, as it is written on the wire.

    host: the Host header, with the port when it is not the scheme's own. path: percent-encoded, without the query.
    client: the address that the receiver sees, '' when it is not known.
    """

    host: str
    path: str = "/"
    query: str = ""
    method: str = "GET"
    scheme: str = "http"
    port: int = 80
    headers: tuple[tuple[str, str], ...] = ()
    client: str = ""

    @property
    def name(self) -> str:
        """The host without its port, in lower case: what is looked up."""
        return host_of(self.host).lower()

    def values(self, header: str) -> tuple[str, ...]:
        """Every value of a header, whatever the case of its name."""
        return tuple(value for name, value in self.headers if name.lower() == header.lower())

    def __str__(self) -> str:
        return f"{self.method} {self.scheme}://{self.host}{self.path}{'?' + self.query if self.query else ''}"


def host_of(authority: str) -> str:
    """`authority` without its port; brackets of an IPv6 address go too."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0] if authority.count(":") == 1 else authority


def parse_request(url: str, method: str = "GET", headers: Iterable[str] = ()) -> Request:
    """The request that `url` and the options ask for. Raises InputError, exit 4."""
    shown = CREDENTIALS.sub("//…@", url)  # a password is printed nowhere
    bad = f"{shown!r} is not a URL to trace"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        found = str(error) if shown == url else "its host or its port can't be read"
        raise InputError(bad, found=found, do="Write it as http://demo.od.com/path.") from None
    if "@" in parts.netloc:
        raise InputError(bad, found="it holds a user's name", do="Send credentials by --header 'Authorization: …'.")
    if parts.scheme not in PORTS or port == 0 or not HOST.fullmatch(parts.netloc.removesuffix(f":{port}")):
        raise InputError(bad, do="Write it as http://demo.od.com/path or https://demo.od.com/path.")
    if "#" in url:
        raise InputError(bad, found="what follows a # is never sent", do="Leave it out.")
    if not TOKEN.fullmatch(method):
        raise InputError(f"{method!r} is not an HTTP method", do="Give one word, as in --method POST.")
    own = PORTS[parts.scheme]
    host = parts.netloc.removesuffix(f":{port}") if port == own else parts.netloc
    return Request(
        host=host,
        path=_printable(parts.path or "/", shown),
        query=_printable(parts.query, shown),
        method=method,
        scheme=parts.scheme,
        port=port or own,
        headers=tuple(_header(line) for line in headers),
    )


def _printable(text: str, url: str) -> str:
    if not re.fullmatch(r"[!-~]*", text):
        raise InputError(
            f"{url!r} is not a URL to trace",
            found="it holds a character that a request line can't carry",
            do="Percent-encode it: a space is %20.",
        )
    return text


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not TOKEN.fullmatch(name) or not re.fullmatch(r"[\t -~\x80-\xff]*", value):
        raise InputError(f"{line!r} is not a header", do="Write it as --header 'Name: value'.")
    if name.lower() == "host":
        raise InputError("Host is not given as a header", do="Write the name into the URL.")
    return name, value.strip()
