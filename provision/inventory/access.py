"""How a host is logged in to, as its variables say: address, user, keys, sudo, jump hosts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from provision.errors import InputError
from provision.home import expanded
from provision.inventory import ansible
from provision.inventory.ssh_args import Jump, jumps
from provision.secret import Secret, secret
from provision.spelling import quoted
from provision.usage import usage

_ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")  # of IP, or a host's name
_DIAL = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*(?: .*)?")
_FILE = re.compile(r"[~/.].*")
# The toolkit's own variables, the names that they had before, and what a value of those looks like: anyone may have a
# variable of that name that is something else.
RENAMED: dict[str, tuple[str, re.Pattern[str]]] = {
    "hdss7_dial": ("dial", _DIAL),
    "hdss7_known_hosts": ("known_hosts", _FILE),
}
OLD_NAMES = frozenset(old for old, _ in RENAMED.values())
FABRIC, OPENSSH = "fabric", "openssh"
TRANSPORTS = (FABRIC, OPENSSH)
DIALLERS = ("hdss7_dial", RENAMED["hdss7_dial"][0])


class Variables(Protocol):
    """The host whose login it is."""

    @property
    def name(self) -> str: ...

    def var(self, name: str, default: Any = ...) -> Any: ...

    def origin(self, *path: Any) -> str: ...


@dataclass(frozen=True)
class Access:
    """The login of one host. Every property raises InputError for a value that can't be meant."""

    host: Variables

    @property
    def local(self) -> bool:
        """Whether the host is the controller itself, reached without ssh: ansible_connection is local."""
        return self._value("ansible_connection") in ansible.LOCAL

    @property
    def address(self) -> str:
        """Where its sshd listens: ansible_host, or its name."""
        address = self.text("ansible_host") or self.host.name
        if not _ADDRESS.fullmatch(address):
            do = "Write an IP address or a host name, and the user as ansible_user."
            raise self._wrong("ansible_host", f"{quoted(address)} is no address", do)
        return address

    @property
    def port(self) -> int:
        """The port of its sshd: ansible_port, or 22."""
        value = self._value("ansible_port")
        if value is None:
            return 22
        text = str(value)
        if isinstance(value, bool) or not text.isdecimal() or len(text) > 5 or not 0 < int(text) < 65536:
            raise self._wrong("ansible_port", f"{quoted(value)} is not a port", "Write a number from 1 to 65535.")
        return int(text)

    @property
    def port_left(self) -> bool:
        """Whether the port is left to ssh_config, as far as that is read."""
        return self._value("ansible_port") is None

    @property
    def private_key(self) -> Path | None:
        """The key file, relative to the current folder; None leaves it to ssh_config."""
        text = self.text("ansible_ssh_private_key_file")
        return expanded(text) if text else None

    @property
    def become(self) -> bool:
        """Whether sudo is used: ansible_become."""
        value = self._value("ansible_become")
        answer = False if value is None else ansible.as_bool(value)
        if answer is None:
            raise self._wrong("ansible_become", f"{quoted(value)} is neither yes nor no", "Write true or false.")
        method = self._value("ansible_become_method")
        if answer and method not in (None, *ansible.SUDO):
            raise self._wrong("ansible_become_method", f"{quoted(method)} is not supported", "Only sudo is.")
        return answer

    @property
    def jumps(self) -> tuple[Jump, ...]:
        """The jump hosts, the first hop first, of ssh's arguments."""
        found: tuple[Jump, ...] = ()
        for name in ansible.ARGUMENTS:
            if text := self.text(name):
                found = found or jumps(text, self.host.name, self.text("ansible_user") or "", self._failure(name))
        return found

    @property
    def timeout(self) -> float:
        """Seconds that a login may take: ansible_ssh_timeout or ansible_timeout, else 10."""
        value = self._value("ansible_ssh_timeout")
        try:
            seconds = 10.0 if value is None else float(value)
        except (TypeError, ValueError, OverflowError):
            seconds = 0.0
        if isinstance(value, bool) or not 0 < seconds <= 3600:
            raise self._wrong("ansible_ssh_timeout", f"{quoted(value)} is no number of seconds", "Write a number: 10")
        return seconds

    @property
    def dial(self) -> str:
        """`module:function [argument …]` that opens the socket, or ''."""
        return self._own("hdss7_dial")

    @property
    def transport(self) -> str:
        """What speaks SSH: FABRIC, or OPENSSH for the system's own."""
        value = self.host.var("hdss7_transport", None)
        if value is None:
            return FABRIC
        if value not in TRANSPORTS:
            raise InputError(
                "the variable hdss7_transport can't be used",
                host=self.host.name,
                line=self.host.origin("hdss7_transport"),
                found=f"{quoted(value)} was written",
                do=f"Write one of these: {', '.join(TRANSPORTS)}.",
            )
        return str(value)

    @property
    def known_hosts(self) -> str:
        """The file with the host's key, or '' for ssh's own."""
        return self._own("hdss7_known_hosts")

    def check(self) -> None:
        """Raise InputError for variables that can't be meant, or can't be followed, before any host is asked."""
        kind = self._value("ansible_connection")
        if kind not in (None, *ansible.SSH, *ansible.LOCAL):
            raise self._wrong(
                "ansible_connection", f"{quoted(kind)} is not supported", "Hosts are reached by ssh, or local."
            )
        for name in ("address", "port", "private_key", "become", "jumps", "timeout"):
            getattr(self, name)
        for name in ("dial", "known_hosts", "transport"):
            getattr(self, name)
        for name in ("ansible_user", "ansible_become_user"):
            self.text(name)
        for name, do in ansible.REFUSED.items():
            if self.host.var(name, None) is not None:
                raise InputError(f"{name} is not supported", host=self.host.name, line=self.host.origin(name), do=do)
        checking = self._value("ansible_host_key_checking")
        if checking is not None and ansible.as_bool(checking) is False:
            do = f"Take it out, and accept each host's key once: {usage(f'hosts.trust {self.host.name}')}"
            raise self._wrong("ansible_host_key_checking", "Host keys are always checked", do)

    def text(self, name: str) -> str | None:
        """A variable of the login as text, by any of its names; None when it is not set."""
        value = self._value(name)
        if isinstance(value, (dict, list)):
            raise self._wrong(name, "it is not text", "Write one value.")
        return secret(str(value)) if isinstance(value, Secret) else None if value is None else str(value)

    def _value(self, name: str) -> Any:
        return next((value for _, value in self._set(name)), None)

    def _set(self, name: str) -> Any:
        """The names under which it is set, with their values, the one that counts first."""
        every = ((each, self.host.var(each, None)) for each in reversed(ansible.ALIASES[name]))
        return ((each, value) for each, value in every if value is not None)

    def _own(self, name: str) -> str:
        old, form = RENAMED[name]
        value = self.host.var(name, None)
        if value is None:
            value = self.host.var(old, None)
            return value if isinstance(value, str) and form.fullmatch(value) else ""
        if value and not (isinstance(value, str) and form.fullmatch(value)):
            do = "Write MODULE:FUNCTION." if name == "hdss7_dial" else "Write a path: /etc/ssh/known_hosts"
            line = self.host.origin(name)
            raise InputError(f"the variable {name} can't be used", host=self.host.name, line=line, do=do)
        return str(value)

    def _failure(self, name: str) -> Callable[[str, str], InputError]:
        return lambda found, do: self._wrong(name, found, do)

    def _wrong(self, name: str, found: str, do: str) -> InputError:
        written, value = next(self._set(name), (name, None))
        if isinstance(value, Secret):
            found = "what is written is secret, and not shown"
        return InputError(
            f"the variable {written} can't be used",
            host=self.host.name,
            line=self.host.origin(written),
            found=found,
            do=do,
        )


def renamed(name: str, value: Any, line: str) -> str:
    """What to say about a variable that is one of the toolkit's own by its old name; "" for any other."""
    for new, (old, form) in RENAMED.items():
        if name == old and isinstance(value, str) and form.fullmatch(value):
            return f"{line}: the variable '{old}' is now called {new}: rename it"
    return ""
