"""`hosts.trust`: the key that a host shows, compared by a person, then written down."""

from __future__ import annotations

import sys
from pathlib import Path

from hdss7.options import Options
from hdss7.project import open_project
from provision.atomic import replace_file
from provision.errors import Exit, FailedError, InputError
from provision.home import expanded
from provision.inventory.access import OPENSSH
from provision.remote.host_keys import is_key_of
from provision.remote.login import offered_key
from provision.remote.openssh_key import shown_key
from provision.usage import usage


def trust(options: Options) -> int:
    """Show the fingerprint of a host's key and, if the person says yes, write the key into known_hosts."""
    site = open_project(options)
    login = site.project.login(site.project.inventory.host(options.host or ""), options.selection())
    if login.local:
        raise InputError(
            f"{login.name} is this machine (ansible_connection: local): it has no host key to trust",
            do="Nothing has to be done. To reach it over SSH, take ansible_connection out",
        )
    site.check_up()
    name, key = (shown_key if login.transport == OPENSSH else offered_key)(login)
    file = expanded(login.known_hosts[0])
    print(f"{login.name} ({name}) shows the key {key.fingerprint}")
    known = _lines(file)
    of_it = [line for line in known if is_key_of(line, name, key.kind)]
    if any(line.split()[2] == key.base64 for line in of_it):
        print(f"It is in {file} already.")
        return Exit.OK
    if of_it:
        print(f"{file} has another key of it: that one will be replaced.")
    if not options.yes:
        _ask()
    _write(file, [*(line for line in known if line not in of_it), f"{name} {key.kind} {key.base64}"])
    print(f"Written into {file}. Next: {usage(f'ping --limit {login.name}')}")
    return Exit.OK


def _ask() -> None:
    if not sys.stdin.isatty():
        raise InputError(
            "no terminal to compare the fingerprint on: nothing was written",
            do="Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host, then add --yes",
        )
    print("Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on the host's own console.")
    if input("Is it the same? [y/N] ").strip().lower() not in ("y", "yes"):
        raise FailedError("the key was not trusted: nothing was written", do="Answer y once the fingerprints are equal")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _write(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    replace_file(file, "".join(f"{line}\n" for line in lines), mode)
