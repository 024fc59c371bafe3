"""ssh's arguments in an inventory: the jump hosts in them, what has no effect here, and what is refused."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from provision.errors import InputError
from provision.spelling import quoted
from provision.usage import usage

Fail = Callable[[str, str], InputError]  # of what was found and what to do

_JUMPS_ONLY = "A jump host can be given here (-J user@host:port); put other options of ssh into ~/.ssh/config."
# Options of `-o` that change nothing here, by lower-case name: one connection carries everything and stays open by
# itself, and a host key that is not known is refused, which is safer than accept-new.
_WITHOUT_EFFECT = re.compile(
    "addkeystoagent|batchmode|checkhostip|clearallforwardings|compression|connectionattempts|connecttimeout|controlmaster"
    "|controlpath|controlpersist|forwardagent|forwardx11|gssapiauthentication|hashknownhosts|identitiesonly|ipqos"
    "|loglevel|numberofpasswordprompts|preferredauthentications|requesttty|sendenv|serveralivecountmax"
    "|serveraliveinterval|tcpkeepalive|updatehostkeys|visualhostkey"
)
_FLAGS = frozenset({"-A", "-a", "-C", "-q", "-T", "-t", "-tt", "-v", "-vv", "-vvv", "-x", "-4"})
_VARIABLES = {"-i": "ansible_ssh_private_key_file", "-l": "ansible_user", "-p": "ansible_port"}
_STRICT = ("yes", "true", "ask", "accept-new")
_NETCAT = (["nc", "%h", "%p"], ["netcat", "%h", "%p"])
_HOP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?:\[(?P<ip>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:@\s\[\]]+))(?::(?P<port>\d+))?")
_BARE_IP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<ip>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)")


@dataclass(frozen=True)
class Jump:
    """A jump host. user, port: None where ssh_config says it. key: the file of its own private key, or ''."""

    host: str
    user: str | None = None
    port: int | None = None
    key: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")


@dataclass(frozen=True)
class _Reader:
    """Reads arguments of a host. user: what `%r` stands for. fail: makes the error."""

    name: str
    user: str
    fail: Fail

    def jumps(self, words: Iterator[str]) -> tuple[Jump, ...]:
        found: tuple[Jump, ...] | None = None
        for word in words:
            if word in _FLAGS:
                continue
            flag, rest = word[:2], word[2:]
            if flag in _VARIABLES:
                raise self.fail(f"'{flag}' is not supported", f"Write {_VARIABLES[flag]}: {rest or next(words, '')}")
            if flag not in ("-J", "-o"):
                raise self.fail(f"{quoted(word)} is not supported", _JUMPS_ONLY)
            value = rest or next(words, "")
            hops = self.hop_list(value) if flag == "-J" else self.option(value)
            found = hops if found is None else found  # the first one counts, as in ssh
        return found or ()

    def option(self, text: str) -> tuple[Jump, ...] | None:
        """The jump hosts that an option names, None where it has no effect."""
        name, _, value = (part.strip() for part in text.strip().replace("=", " ", 1).partition(" "))
        value = value.removeprefix("=").strip()
        match name.lower():
            case "proxyjump":
                return self.hop_list(value)
            case "proxycommand":
                return self.command(value)
            case "stricthostkeychecking" if value.lower() in _STRICT:
                return None
            case "stricthostkeychecking":
                raise self.always_checked(f"{name}={value}")
            case "userknownhostsfile" | "globalknownhostsfile" if value == "/dev/null":
                raise self.always_checked(f"{name}={value}")
            case "userknownhostsfile" | "globalknownhostsfile":
                raise self.fail(f"'{name}' is not supported", f"Write the variable hdss7_known_hosts: {value}")
            case "identityfile":
                raise self.fail(f"'{name}' is not supported", f"Write ansible_ssh_private_key_file: {value}")
            case each if _WITHOUT_EFFECT.fullmatch(each):
                return None
        raise self.fail(f"'{name}' is not supported", _JUMPS_ONLY)

    def hop_list(self, text: str) -> tuple[Jump, ...]:
        if text.strip().lower() == "none":
            return ()
        return tuple(self.hop(part.strip()) for part in text.split(","))

    def hop(self, text: str, user: str = "", port: str = "", key: str = "") -> Jump:
        if not text:
            raise self.fail("it names no host", _JUMPS_ONLY)
        place = text.removeprefix("ssh://").removesuffix("/") if text.startswith("ssh://") else text
        match = _BARE_IP.fullmatch(place) or _HOP.fullmatch(place)
        if match is None:
            raise self.fail(f"{quoted(text)} is no jump host", _JUMPS_ONLY)
        parts = match.groupdict()
        port = parts.get("port") or port
        if port and not (port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
            raise self.fail(f"'{port}' is not a port", "Write a number from 1 to 65535.")
        host = parts.get("host") or parts["ip"]
        if host.startswith("-"):
            raise self.fail(f"{quoted(text)} is no jump host", _JUMPS_ONLY)
        who = (parts["user"] or user).replace("%r", self.user)
        return Jump(host, who or None, int(port) if port else None, key)

    def command(self, command: str) -> tuple[Jump, ...]:
        """The jump host of a ProxyCommand that leads on to %h:%p by `ssh -W`, or by nc on the jump host."""
        words = self.split(command)
        if words[:1] == ["none"]:
            return ()
        given: dict[str, str] = {}
        rest: list[str] = []
        before: tuple[Jump, ...] = ()
        waiting = iter(words[1:])
        for word in waiting:
            flag, value = word[:2], word[2:]
            if not word.startswith("-"):
                rest.append(word)
            elif flag in ("-W", "-p", "-l", "-i"):
                given[flag] = value or next(waiting, "")
            elif flag == "-o":
                before = self.forwarding(value or next(waiting, ""), given) or before
            elif flag == "-J":
                before = self.hop_list(value or next(waiting, ""))
            elif word not in _FLAGS:
                raise self.unsupported(command)
        leads = rest[1:] in _NETCAT or (len(rest) == 1 and given.get("-W") in ("%h:%p", "[%h]:%p"))
        if words[:1] != ["ssh"] or not leads:
            raise self.unsupported(command)
        return (*before, self.hop(rest[0], given.get("-l", ""), given.get("-p", ""), given.get("-i", "")))

    def forwarding(self, text: str, given: dict[str, str]) -> tuple[Jump, ...]:
        """An option of the ProxyCommand's own ssh: its login, or another jump host before it."""
        name, _, value = text.replace("=", " ", 1).strip().partition(" ")
        for flag, option in (("-p", "port"), ("-l", "user"), ("-i", "identityfile")):
            if name.lower() == option:
                given[flag] = value.strip()
                return ()
        return self.option(text) or ()

    def split(self, text: str) -> list[str]:
        try:
            return shlex.split(text)
        except ValueError as error:
            raise self.fail(str(error), "Close the quotes.") from None

    def always_checked(self, option: str) -> InputError:
        return self.fail(
            f"'{option}' is not supported",
            "Host keys are always checked: take this out, and accept each host's key once: "
            + usage(f"hosts.trust {self.name}"),
        )

    def unsupported(self, command: str) -> InputError:
        return self.fail(f"the ProxyCommand {quoted(command)} is not supported", _JUMPS_ONLY)


def jumps(arguments: str, host: str, user: str, fail: Fail) -> tuple[Jump, ...]:
    """The jump hosts, first hop first, in ssh's arguments: -J, ProxyJump, or a ProxyCommand of ssh with -W %h:%p.

    host: whose they are; user: who logs in to it. `fail(found, do)` makes the error for what would reach the host in
    another way.
    """
    reader = _Reader(host, user, fail)
    return reader.jumps(iter(reader.split(arguments)))
