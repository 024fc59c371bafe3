"""The path that Traefik's rules compare with, out of the path that was sent.

Source: normalizePath and sanitizePath of pkg/server/server_entrypoint_tcp.go, withRoutingPath of pkg/muxer/http/mux.go,
and EscapedPath of Go's net/url. Everything happens on bytes.
"""

from __future__ import annotations

import posixpath
import re
from string import ascii_letters, digits

PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})?")
UNRESERVED = frozenset((ascii_letters + digits + "-._~").encode())
PLAIN = UNRESERVED | frozenset(b"$&+,/:;=@")  # Go writes these in a path as they are
VALID = PLAIN | frozenset(b"!'()*[]%")  # and accepts these where the sender has not encoded them
KEPT = frozenset(b":/?#[]@!$&'()*+,;=%")  # stay encoded in the path that rules see


def routed_path(path: str) -> str | None:
    """What Path, PathPrefix and PathRegexp are compared with; None when Traefik answers 400 instead."""
    raw = path.encode("utf-8", "surrogateescape")
    if any(found.group(1) is None for found in PERCENT.finditer(raw)) or b"#" in raw:
        return None
    cleaned = _cleaned(_escaped(raw))
    decoded = PERCENT.sub(lambda found: found.group() if _byte(found) in KEPT else bytes([_byte(found)]), cleaned)
    return decoded.decode("utf-8", "surrogateescape")


def _byte(found: re.Match[bytes]) -> int:
    return int(found.group(1), 16)


def _unescaped(raw: bytes) -> bytes:
    return PERCENT.sub(lambda found: bytes([_byte(found)]), raw)


def _escaped(raw: bytes) -> bytes:
    """Percent-encoded once: as sent when that is valid, unreserved characters as they are, hexadecimals in capitals."""
    default = b"".join(bytes([byte]) if byte in PLAIN else b"%%%02X" % byte for byte in _unescaped(raw))
    if default == raw or not all(byte in VALID for byte in raw):
        return default
    return PERCENT.sub(
        lambda found: bytes([_byte(found)]) if _byte(found) in UNRESERVED else found.group().upper(), raw
    )


def _cleaned(path: bytes) -> bytes:
    """Without `.`, `..` and empty segments; a slash at the end stays."""
    cleaned = posixpath.normpath(b"/" + path.lstrip(b"/"))
    return cleaned + b"/" if path.endswith(b"/") and cleaned != b"/" else cleaned
