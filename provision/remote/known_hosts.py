"""The files known_hosts: read once for all hosts, each given its own lines, by the rules of sshd(8), SSH_KNOWN_HOSTS.

paramiko's own loader compares every line with all earlier ones, for each connection anew. It also knows neither
wildcards, nor negated names, nor revoked keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from provision.remote.host_keys import HostKey

REVOKED = "@revoked"
SSH_PORT = 22
FILES_KEPT = 16  # a file for each host of a test site, at most; a real site has one or two


@dataclass(frozen=True)
class Line:
    """A line of a file. names: as they are written; revoked: its key is never accepted for them."""

    names: tuple[str, ...]
    key: HostKey
    revoked: bool = False

    def matches(self, name: str) -> bool:
        """Whether the line is about this name: one pattern matches, and none that is negated."""
        if any(pattern.startswith("!") and _like(pattern[1:], name) for pattern in self.names):
            return False
        return any(_like(pattern, name) for pattern in self.names)


@dataclass(frozen=True)
class KnownHosts:
    """The lines of a file by the names that they give as they are, and those that have to be tried for every name."""

    exact: dict[str, list[Line]] = field(default_factory=dict)
    tried: list[Line] = field(default_factory=list)

    @staticmethod
    def of(text: str) -> KnownHosts:
        """A file's content. Lines that OpenSSH would skip are skipped; @cert-authority too, because a certificate of a
        host is nothing that paramiko can check."""
        known = KnownHosts()
        for line in filter(None, map(_line, text.splitlines())):
            if any(c in name for name in line.names for c in "*?!|"):
                known.tried.append(line)
                continue
            for name in line.names:
                known.exact.setdefault(name.lower(), []).append(line)
        return known

    def about(self, name: str) -> Iterator[Line]:
        """The lines about a name."""
        yield from self.exact.get(name, ())
        yield from (line for line in self.tried if line.matches(name))


@dataclass(frozen=True)
class Known:
    """What is known of one host: the keys that it may show, in the order of the files, and those it may never show."""

    keys: tuple[HostKey, ...] = ()
    revoked: frozenset[HostKey] = frozenset()


def known_of(files: Iterable[Path], host: str, port: int) -> Known:
    """What these files say of a host; one that is not there says nothing. Raises OSError for one that can't be read."""
    name = name_of(host, port)
    lines = [line for path in files if path.exists() for line in _read(path).about(name)]
    revoked = frozenset(line.key for line in lines if line.revoked)
    return Known(tuple(dict.fromkeys(line.key for line in lines if line.key not in revoked)), revoked)


def name_of(host: str, port: int) -> str:
    """How known_hosts names a host: `10.4.7.11`, or `[10.4.7.11]:2222` at another port."""
    return host.lower() if port == SSH_PORT else f"[{host.lower()}]:{port}"


def key_of(path: Path, number: int) -> HostKey | None:
    """The key in the line of that number, counted from 1; None where there is none."""
    try:
        line = _line(path.read_text(encoding="utf-8", errors="replace").splitlines()[number - 1])
    except (OSError, IndexError):
        return None
    return line.key if line else None


def _read(path: Path) -> KnownHosts:
    stat = path.stat()
    return _parsed(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(FILES_KEPT)
def _parsed(path: Path, changed: int, size: int) -> KnownHosts:
    return KnownHosts.of(path.read_text(encoding="utf-8", errors="replace"))


def _line(text: str) -> Line | None:
    words = text.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    if marker not in ("", REVOKED) or len(words) < 3:
        return None
    return Line(tuple(words[0].split(",")), HostKey(words[1], words[2]), marker == REVOKED)


def _like(pattern: str, name: str) -> bool:
    if pattern.startswith("|"):
        from paramiko import HostKeys

        try:
            return HostKeys.hash_host(name, pattern) == pattern
        except (AssertionError, ValueError):  # no hash that OpenSSH writes
            return False
    return re.fullmatch(_expression(pattern.lower()), name) is not None


@lru_cache(1024)
def _expression(pattern: str) -> str:
    wild = {"*": ".*", "?": "."}
    return "".join(wild.get(letter, re.escape(letter)) for letter in pattern)
