"""The location that nginx chooses for a path, and why.

Source: ngx_http_core_find_location: an exact one, or the longest prefix; then the first pattern of the same level,
unless the prefix forbids it. A location's own locations are searched first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from urltrace.nginx.regexp import compile_pcre
from urltrace.nginx.syntax import Directive

MODIFIERS = ("=", "^~", "~", "~*")
PASSING = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass", "grpc_pass")


@dataclass(frozen=True)
class Location:
    """A `location` block."""

    modifier: str
    pattern: str
    block: Directive

    @property
    def place(self) -> str:
        return self.block.place

    @property
    def redirects(self) -> bool:
        """nginx answers 301 for its path without the slash at the end."""
        return self.pattern.endswith("/") and any(self.block.first(name) for name in PASSING)

    def __str__(self) -> str:
        return f"location {f'{self.modifier} ' if self.modifier else ''}{self.pattern}"


@dataclass(frozen=True)
class LocationChoice:
    """The locations that lead to the chosen one, outermost first; none when the server itself answers.

    redirect: nginx answers 301 to the path with a slash. unread: what could not be judged.
    """

    locations: tuple[Location, ...] = ()
    redirect: bool = False
    unread: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if not self.locations:
            return "no location, so that the server block itself answers"
        return f"{self.locations[-1]} in {self.locations[-1].place}"


def locations(block: Directive) -> tuple[Location, ...]:
    """The locations directly in a block, in order; named ones (@name) are never chosen by a path."""
    return tuple(
        found for inner in block.all("location") if (found := _location(inner)) and not found.pattern.startswith("@")
    )


def _location(block: Directive) -> Location | None:
    if len(block.arguments) == 2:
        return Location(block.arguments[0], block.arguments[1], block)
    if not block.arguments:
        return None
    found = re.match(r"(=|\^~|~\*|~)?(.*)", block.arguments[0], re.DOTALL)  # the modifier may touch the pattern
    return Location(found[1] or "", found[2], block) if found else None


def choose_location(server: Directive, uri: str) -> LocationChoice:
    """Which location of a server takes `uri` (see normalized_uri)."""
    unread: list[str] = []
    path, _, redirect = _find(server, uri, unread)
    return LocationChoice(path, redirect, tuple(unread))


def _find(block: Directive, uri: str, unread: list[str]) -> tuple[tuple[Location, ...], bool, bool]:
    """The path of locations, whether the search is over, and whether nginx redirects."""
    held = locations(block)
    static = [one for one in held if one.modifier not in ("~", "~*")]
    exact = [one for one in static if one.modifier == "=" and one.pattern == uri]
    if exact:
        return (exact[0],), True, False
    slashed = [one for one in static if one.pattern == uri + "/" and one.redirects]
    same = [one for one in static if one.pattern == uri and one.modifier != "="]
    if slashed and not same:
        return (slashed[0],), True, True
    prefixes = [one for one in static if one.modifier != "=" and uri.startswith(one.pattern)]
    prefix = max(prefixes, key=lambda one: len(one.pattern), default=None)
    path: tuple[Location, ...] = ()
    if prefix:
        inner, over, redirect = _find(prefix.block, uri, unread)
        path = (prefix, *inner)
        if over:
            return path, True, redirect
    if not prefix or prefix.modifier != "^~":
        for one in held:
            if one.modifier in ("~", "~*") and _matches(one, uri, unread):
                inner, _, redirect = _find(one.block, uri, unread)
                return (one, *inner), True, redirect
    return path, False, False


def _matches(location: Location, uri: str, unread: list[str]) -> bool:
    try:
        flags = re.IGNORECASE if location.modifier == "~*" else 0
        return bool(compile_pcre(location.pattern, flags).search(uri))
    except ValueError as error:
        unread.append(f"{location} in {location.place}: {error}")
        return False
