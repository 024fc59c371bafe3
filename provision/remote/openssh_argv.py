"""The command line of the system's ssh for a login: what the inventory says, as options beside ~/.ssh/config."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from provision.remote.login import KNOWN_HOSTS, Login
from provision.remote.masters import KEPT
from provision.remote.shell import quote

if TYPE_CHECKING:
    from provision.inventory.ssh_args import Jump

SIGN_OF_LIFE_EVERY, SIGNS_MISSED = 5, 3  # seconds; after so many without an answer a connection is closed
DIALLED = "provision.remote.proxy_command"


def argv(login: Login, control: Path | None, other: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The words before the command that the host is to run. control: the socket of a connection that may be open, is
    opened where it is not, and stays open; None: a connection of its own. other: settings instead of these.
    """
    settings = {
        **_strict(login),
        "ServerAliveInterval": str(SIGN_OF_LIFE_EVERY),
        "ServerAliveCountMax": str(SIGNS_MISSED),
        **_shared(control),
        # of the user's own configuration these would not let a command's input and output through as they are
        "RequestTTY": "no",
        "RemoteCommand": "none",
        "ClearAllForwardings": "yes",
        **_way(login, login.jumps),
        **other,
    }
    port = None if login.port_left else login.port
    return ["ssh", *_options(settings), *_identity(login.key_files), *_who(login.user, port), "--", login.address]


def _strict(login: Login) -> Mapping[str, str]:
    """For each hop: host keys are checked, nothing is asked, and what failed is said in words that are expected."""
    settings = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "ConnectTimeout": str(math.ceil(login.timeout)),
        "LogLevel": "ERROR",
    }
    if login.known_hosts != KNOWN_HOSTS:
        files = " ".join(map(word, login.known_hosts))
        settings |= {"UserKnownHostsFile": files, "GlobalKnownHostsFile": "/dev/null"}
    return settings


def _shared(control: Path | None) -> Mapping[str, str]:
    if control is None:
        return {"ControlMaster": "no", "ControlPath": "none"}
    return {"ControlMaster": "auto", "ControlPath": word(str(control)), "ControlPersist": str(KEPT)}


def _way(login: Login, jumps: Sequence[Jump]) -> Mapping[str, str]:
    """How the next hop is reached: through these jump hosts, by the inventory's dialler, or as ssh does by itself."""
    if jumps:
        return {"ProxyCommand": _through(login, jumps), "ProxyUseFdpass": "no"}
    if login.dial:
        words = _verbatim([sys.executable, "-m", DIALLED, login.dial, f"{login.timeout:g}"])
        return {"ProxyCommand": f"{words} %h %p", "ProxyUseFdpass": "yes"}
    return {}


def _through(login: Login, jumps: Sequence[Jump]) -> str:
    """The command that leads on from the last of these jump hosts. ssh's own -J leaves our options out."""
    *before, last = jumps
    settings = {**_strict(login), **_shared(None), "ClearAllForwardings": "no", **_way(login, before)}
    keys = (last.key,) if last.key else login.key_files
    before_target = ["ssh", *_options(settings), *_identity(keys), *_who(last.user, last.port), "-W"]
    return f"{_verbatim(before_target)} {quote('[%h]:%p')} -- {_verbatim([last.host])}"


def _options(settings: Mapping[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _identity(files: Sequence[str]) -> list[str]:
    """As with Fabric, a key that is named is the only one that is offered."""
    if not files:
        return []
    return [*(part for file in files for part in ("-o", f"IdentityFile={word(file)}")), "-o", "IdentitiesOnly=yes"]


def _who(user: str | None, port: int | None) -> list[str]:
    return [*(("-l", user) if user else ()), *(("-p", str(port)) if port else ())]


def word(value: str) -> str:
    """A value as one word of ssh_config(5), where `%` would begin a token."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _verbatim(values: Iterable[str]) -> str:
    """Words of a command that ssh has sh run, none of them with a token of ssh's."""
    return " ".join(quote(value) for value in values).replace("%", "%%")
