"""The `ansible_*` variables: which of them are understood, and how a host is logged in to by them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from provision.errors import InputError
from provision.spelling import listed, suggestion

# Each with its older names, all of which Ansible still reads.
ALIASES: dict[str, tuple[str, ...]] = {
    "ansible_host": ("ansible_ssh_host",),
    "ansible_port": ("ansible_ssh_port",),
    "ansible_user": ("ansible_ssh_user",),
    "ansible_password": ("ansible_ssh_password", "ansible_ssh_pass"),
    "ansible_ssh_private_key_file": ("ansible_private_key_file",),
    "ansible_become_password": ("ansible_become_pass", "ansible_sudo_pass"),
    "ansible_become_user": (),
    "ansible_become_method": (),
    "ansible_become": (),
    "ansible_ssh_common_args": (),
    "ansible_connection": (),
    "ansible_ssh_timeout": ("ansible_timeout",),
    "ansible_group_priority": (),
}
NAMES = frozenset(name for each, others in ALIASES.items() for name in (each, *others))
# What Ansible itself never shows.
SECRETS = frozenset(name for each in ("ansible_password", "ansible_become_password") for name in (each, *ALIASES[each]))
# Accepted and not needed: hosts need no Python and no temporary folder, and all commands share one channel.
IGNORED = frozenset(
    {
        "ansible_python_interpreter",
        "ansible_pipelining",
        "ansible_ssh_pipelining",
        "ansible_remote_tmp",
        "ansible_async_dir",
    }
)
_INSTEAD = {
    "ansible_ssh_extra_args": "For a jump host: ansible_ssh_common_args: '-J user@host'; others go into ~/.ssh/config.",
    "ansible_host_key_checking": "Host keys are always checked; `invoke hosts.trust HOST` accepts one.",
    "ansible_ssh_host_key_checking": "Host keys are always checked; `invoke hosts.trust HOST` accepts one.",
    "ansible_become_flags": "sudo is called without further options.",
    "ansible_become_exe": "sudo is found by PATH on the host.",
}
# Names that every host has of itself; setting one of them would be without effect.
MAGIC = ("inventory_hostname", "inventory_hostname_short", "inventory_dir", "groups", "group_names", "hostvars")
_FORWARD = re.compile(r"^ssh\s+(?P<options>.*\s)?-W\s+\[?%h\]?:%p\b(?P<rest>.*)$")


def check_name(name: str, line: str) -> None:
    """Raise InputError, placed at `line`, for an `ansible_*` variable or a magic name that can't be set."""
    if name in MAGIC:
        raise InputError(f"'{name}' can't be set", line=line, do="Every host has it of itself: choose another name.")
    known = [*sorted(NAMES), *IGNORED]
    if name.startswith("ansible_") and name not in known:
        raise InputError(
            f"the variable {name} is not supported",
            line=line,
            do=_INSTEAD.get(name) or suggestion(name, known) or f"Supported are {listed(ALIASES, 20)}.",
        )


def jumps(arguments: str, fail: Callable[[str, str], InputError]) -> tuple[str, ...]:
    """The jump hosts, first hop first, in ssh's arguments: -J, ProxyJump, or ProxyCommand with 'ssh -W %h:%p'.

    `-J "a,user@b:2222"` gives ('a', 'user@b:2222'). `fail(found, do)` makes the error for anything else.
    """
    try:
        words = shlex.split(arguments)
    except ValueError as error:
        raise fail(str(error), "Close the quotes.") from None
    hops: tuple[str, ...] = ()
    while words:
        word = words.pop(0)
        flag, rest = word[:2], word[2:]
        if flag not in ("-J", "-o"):
            raise fail(f"'{word}' is not supported", _JUMPS_ONLY)
        value = rest or (words.pop(0) if words else "")
        hops = tuple(value.split(",")) if flag == "-J" else _option(value, fail)
        if not all(hops):
            raise fail(f"'{word}' names no host", _JUMPS_ONLY)
    return () if hops == ("none",) else hops


_JUMPS_ONLY = "Only a jump host can be given here (-J user@host:port); put other ssh options into ~/.ssh/config."


def _option(text: str, fail: Callable[[str, str], InputError]) -> tuple[str, ...]:
    name, _, value = text.replace("=", " ", 1).strip().partition(" ")
    if name.lower() == "proxyjump":
        return tuple(value.strip().split(","))
    if name.lower() == "proxycommand":
        return _forward(value.strip(), fail)
    if name.lower() in ("stricthostkeychecking", "userknownhostsfile"):
        raise fail(f"'{name}' is not supported", "Host keys are always checked; `invoke hosts.trust HOST` accepts one.")
    raise fail(f"'{name}' is not supported", _JUMPS_ONLY)


def _forward(command: str, fail: Callable[[str, str], InputError]) -> tuple[str, ...]:
    match = _FORWARD.match(command)
    words = shlex.split(f"{match['options'] or ''} {match['rest']}") if match else []
    port, user, hosts = "", "", []
    while words:
        word = words.pop(0)
        if word in ("-p", "-l") and words:
            port, user = (words.pop(0), user) if word == "-p" else (port, words.pop(0))
        elif word != "-q":
            hosts.append(word)
    if len(hosts) != 1 or hosts[0].startswith("-"):
        raise fail(f"the ProxyCommand '{command}' is not supported", _JUMPS_ONLY)
    return ((f"{user}@" if user else "") + hosts[0] + (f":{port}" if port else ""),)


def as_bool(value: Any) -> bool | None:
    """Ansible's idea of yes and no; None for neither."""
    text = str(value).strip().lower()
    return {"true": True, "yes": True, "on": True, "1": True, "y": True, "t": True}.get(
        text, False if text in ("false", "no", "off", "0", "n", "f") else None
    )
