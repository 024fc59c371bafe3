"""The keys of a lab: the operator's, each host's, and the known_hosts that says which is whose."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.topology import HostSpec
from provision.atomic import replace_file

CLIENT = "id_ed25519"


def ensure(path: Path) -> str:
    """The public half, as `ssh-ed25519 AAAA...`, of the private key at `path`, which is made if it isn't there."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if path.exists():
        private = form.load_ssh_private_key(path.read_bytes(), password=None)
    else:
        private = Ed25519PrivateKey.generate()
        replace_file(path, private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()))
    return private.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()


def client_key(keys: Path) -> Path:
    """Where the operator's private key is."""
    return keys / CLIENT


def host_key(keys: Path, host: HostSpec) -> Path:
    """Where a host's private key is."""
    return keys / f"host_{host.name}"


def known_hosts(keys: Path) -> Path:
    """Where the lab says which key is whose."""
    return keys / "known_hosts"


def ensure_all(keys: Path, hosts: Iterable[HostSpec]) -> None:
    """Make whatever key is missing and write known_hosts anew: by name and address, with the port where it isn't 22."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = ensure(client_key(keys))
    replace_file(client_key(keys).with_suffix(".pub"), public + "\n", 0o644)
    lines = [f"{_patterns(host)} {ensure(host_key(keys, host))}\n" for host in hosts]
    replace_file(known_hosts(keys), "".join(lines), 0o644)


def _patterns(host: HostSpec) -> str:
    names = (host.name, host.address)
    return ",".join(names if host.port == 22 else [f"[{name}]:{host.port}" for name in names])
