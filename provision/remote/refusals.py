"""Why a host could not be logged in to, in the words of this toolkit, whichever program speaks SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import UnreachableError
from provision.remote.known_hosts import REVOKED
from provision.usage import usage

if TYPE_CHECKING:
    from provision.remote.login import Login

NO_ANSWER = "no answer within the connect timeout"
NOBODY_LISTENS = "connection refused"
SILENT_SSHD = "the port accepts connections, but sshd sends nothing"


def changed_key(login: Login, found: str) -> UnreachableError:
    """found: which key the host shows, and which is known."""
    return UnreachableError(
        "the host key has changed: refused",
        host=login.name,
        found=found,
        do=f"If the host was reinstalled, compare the fingerprint on its console, then run: {_trust(login)}",
    )


def unknown_key(login: Login) -> UnreachableError:
    """No file has a key of this host."""
    return UnreachableError(
        "the host key is unknown: refused",
        host=login.name,
        found=f"{login.place} is in none of {', '.join(login.known_hosts)}",
        do=f"Run {_trust(login)}: it shows the key's fingerprint. Compare it with the one on the host's console, then "
        "answer yes",
    )


def revoked_key(login: Login, shown: str) -> UnreachableError:
    """shown: the key, its fingerprint if it is known."""
    return UnreachableError(
        "the host key is revoked: refused",
        host=login.name,
        found=f"{login.place} shows {shown}, which {REVOKED} forbids in {', '.join(login.known_hosts)}",
        do="Give the host a new key (ssh-keygen -A, after the old one is deleted), or take the line out",
    )


def not_let_in(login: Login, why: str) -> UnreachableError:
    """why: in the words of the program."""
    keys = ", ".join(login.key_files) or "the agent's and ~/.ssh keys"
    return UnreachableError(
        f"{login.user or 'the default user'} was not let in",
        host=login.name,
        found=f"{login.place} refused {keys}: {why}",
        do="Name the right --user and --private-key, or put the public key into its authorized_keys",
    )


def not_logged_in(login: Login, why: str) -> UnreachableError:
    """Whatever else it was."""
    return UnreachableError(
        "could not log in",
        host=login.name,
        found=f"{login.place}: {why}",
        do="Look whether the host is up and sshd listens there (ansible_host, ansible_port in the inventory)",
    )


def _trust(login: Login) -> str:
    return usage(f"hosts.trust {login.name}")
