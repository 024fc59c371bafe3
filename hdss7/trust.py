"""`hosts.trust`: the key that a host shows, compared by a person, then written down."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from hdss7.options import Options
from hdss7.project import open_project
from provision.errors import Exit, FailedError, InputError
from provision.remote.login import Login, first_socket, hops, unreachable


def trust(root: Path, options: Options) -> int:
    """Show the fingerprint of a host's key and, if the person says yes, write the key into known_hosts."""
    site = open_project(root, options)
    login = site.project.login(site.project.inventory.host(options.host or ""), options.selection())
    site.check_up()
    key = offered(login)
    file = Path(login.known_hosts[0]).expanduser()
    name = login.address if login.port == 22 else f"[{login.address}]:{login.port}"
    print(f"{login.name} ({name}) shows the key {fingerprint(key)}")
    known = _lines(file)
    of_it = [line for line in known if _is_of(line, name, key.get_name())]
    if any(line.split()[2] == key.get_base64() for line in of_it):
        print(f"It is in {file} already.")
        return Exit.OK
    if of_it:
        print(f"{file} has another key of it: that one will be replaced.")
    if not options.yes:
        _ask()
    _write(file, [*(line for line in known if line not in of_it), f"{name} {key.get_name()} {key.get_base64()}"])
    print(f"Written into {file}. Next: invoke ping --limit {login.name}")
    return Exit.OK


def offered(login: Login) -> Any:
    """The key that the host's sshd shows; nobody logs in. Jump hosts are logged in to, strictly."""
    import paramiko

    *before, last = hops(login)
    transport = None
    try:
        if before:
            before[0].connect_kwargs["sock"] = first_socket(before[0], login)
            for hop in before:
                hop.open()
            channel = before[-1].transport.open_channel(
                "direct-tcpip", (last.host, last.port), ("", 0), timeout=login.timeout
            )
        else:
            channel = first_socket(last, login)
        transport = paramiko.Transport(channel)
        transport.start_client(timeout=login.timeout)
        return transport.get_remote_server_key()
    except Exception as error:
        raise unreachable(login, error) from None
    finally:
        for each in (transport, *reversed(before)):
            if each is not None:
                each.close()


def fingerprint(key: Any) -> str:
    """As ssh-keygen -l shows it: `SHA256:…`, with the kind of key before it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def _ask() -> None:
    if not sys.stdin.isatty():
        raise InputError(
            "nobody is there to compare the fingerprint: nothing was written",
            do="Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host, then add --yes",
        )
    print("Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on the host's own console.")
    if input("Is it the same? [y/N] ").strip().lower() not in ("y", "yes"):
        raise FailedError("the key was not trusted: nothing was written")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _is_of(line: str, name: str, kind: str) -> bool:
    """Whether a line of known_hosts gives a key of this kind for exactly this name, which may stand there hashed."""
    from paramiko import HostKeys

    parts = line.split()
    if len(parts) < 3 or parts[1] != kind:
        return False
    return any(
        name == known or (known[:3] == "|1|" and HostKeys.hash_host(name, known) == known)
        for known in parts[0].split(",")
    )


def _write(file: Path, lines: list[str]) -> None:
    """Replaces the file as a whole."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text("".join(f"{line}\n" for line in lines))
    beside.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
    beside.rename(file)
