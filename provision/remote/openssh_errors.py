"""What the system's ssh says when it could not log in, as this toolkit's errors.

ssh ends with 255 for all of them; its words are those of OpenSSH 8.9 to 10, which translates none.
"""

from __future__ import annotations

import re
from pathlib import Path

from provision.errors import UnreachableError
from provision.remote import refusals
from provision.remote.known_hosts import key_of
from provision.remote.login import Login

_CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_SHOWN = re.compile(r"The fingerprint for the (\S+) key sent by the remote host is\s+(\S+?)\.?\s")
_OFFENDING = re.compile(r"Offending \S+ key in (.+):(\d+)")
_REVOKED = re.compile(r"The (\S+) host key for .* is marked as revoked")
_UNKNOWN = re.compile(r"No \S+ host key is known for ")
_DENIED = re.compile(r"Permission denied \(.*\)|Too many authentication failures|No more authentication methods")
_PLAIN = (
    (re.compile(r"[Tt]imed out during banner exchange"), refusals.SILENT_SSHD),
    (re.compile(r"connect to host .*: Connection refused"), refusals.NOBODY_LISTENS),
    (re.compile(r"connect to host .*: (?:Connection|Operation) timed out"), refusals.NO_ANSWER),
)
# lines that say the same once more, less exactly, or that are about the machinery between
_ECHO = re.compile(
    r"mm_receive_fd:|proxy dialer did not pass|kex_exchange_identification: Connection closed"
    r"|Connection closed by UNKNOWN|banner exchange: Connection|Warning: |muxclient|mux_client|ControlSocket "
)


def refusal(login: Login, said: str) -> UnreachableError:
    """The error for what ssh said on its standard error."""
    said = said.replace("\r", "") + "\n"
    if _CHANGED in said:
        return refusals.changed_key(login, _both_keys(login, said))
    if revoked := _REVOKED.search(said):
        return refusals.revoked_key(login, f"a key of kind {revoked[1]}")
    if _UNKNOWN.search(said):
        return refusals.unknown_key(login)
    if denied := _DENIED.search(said):
        return refusals.not_let_in(login, _line(said, denied.start()))
    for pattern, words in _PLAIN:
        if pattern.search(said):
            return refusals.not_logged_in(login, words)
    lines = _telling(said) or [line.strip() for line in said.splitlines() if line.strip()]
    return refusals.not_logged_in(login, lines[-1] if lines else "ssh ended without a word")


def tells(said: str) -> bool:
    """Whether a cause is among what ssh said."""
    return bool(_telling(said))


def _telling(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if line.strip() and not _ECHO.match(line)]


def _both_keys(login: Login, said: str) -> str:
    """Which key the host shows, and which it had, read where ssh read it."""
    shown, offending = _SHOWN.search(said), _OFFENDING.search(said)
    found = f"{login.place} now shows the key {shown[1]} {shown[2]}" if shown else f"{login.place} shows another key"
    if offending and (known := key_of(Path(offending[1]), int(offending[2]))):
        return f"{found}, known is {known.fingerprint}"
    return f"{found}, known is another ({offending[1]}:{offending[2]})" if offending else found


def _line(said: str, at: int) -> str:
    return said[said.rfind("\n", 0, at) + 1 : said.index("\n", at)].strip()
