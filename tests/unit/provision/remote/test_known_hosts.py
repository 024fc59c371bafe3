"""What known_hosts says of a host, however the line was written: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT."""

from __future__ import annotations

import pytest
from paramiko import HostKeys

from provision.remote.host_keys import is_key_of

NAME, PORT_NAME, KIND = "10.4.7.21", "[10.4.7.21]:2222", "ssh-ed25519"


@pytest.mark.parametrize(
    ("names", "name", "found"),
    [
        ("10.4.7.21", NAME, True),
        ("hdss7-21,10.4.7.21", NAME, True),
        (HostKeys.hash_host(NAME), NAME, True),
        (HostKeys.hash_host(PORT_NAME), PORT_NAME, True),
        ("10.4.7.22", NAME, False),
        (HostKeys.hash_host("10.4.7.22"), NAME, False),
        ("10.4.7.21", PORT_NAME, False),
        ("@revoked", NAME, False),
    ],
    ids=[
        "plain",
        "among others",
        "hashed",
        "hashed with a port",
        "another",
        "another, hashed",
        "port missing",
        "revoked",
    ],
)
def test_a_line_is_of_a_host_by_any_of_its_names_plain_or_hashed(names: str, name: str, found: bool) -> None:
    assert is_key_of(f"{names} {KIND} AAAA", name, KIND) is found


def test_a_key_of_another_kind_is_another_matter() -> None:
    assert not is_key_of(f"{NAME} ssh-rsa AAAA", NAME, KIND)
