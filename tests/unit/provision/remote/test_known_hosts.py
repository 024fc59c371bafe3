"""What known_hosts says of a host, however the line was written: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko import HostKeys

from provision.remote.host_keys import HostKey, is_key_of
from provision.remote.known_hosts import KnownHosts, known_of, name_of

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


A, B = "AAAAC3NzaC1lZDI1NTE5AAAAIFKZR0VYbVZ6p2RrfkLpFqBYDZ7wA0bGYQ5u3y2cBvQ8", "AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42


SALT = "c2FsdCBvZiB0d2VudHkgYnl0ZXM="  # a fixed one: every worker of pytest has to collect the same tests


@pytest.mark.parametrize(
    "names",
    [
        NAME,
        f"hdss7-21,{NAME}",
        HostKeys.hash_host(NAME, SALT),
        HostKeys.hash_host(PORT_NAME, SALT),
        PORT_NAME,
        "10.4.7.*",
        "10.4.7.2?",
        "10.4.7.??",
        "*,!10.4.7.21",
        "!10.4.7.22,10.4.7.*",
        "[10.4.7.*]:2222",
        "*",
        "10.4.7.22",
        "|1|bad",
        "|2|AAAA|AAAA",
        "10.4.7.2[1]",
    ],
)
@pytest.mark.parametrize("port", [22, 2222])
def test_a_line_is_of_the_hosts_that_ssh_keygen_finds_it_for(names: str, port: int, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"# of the lab\n{names} {KIND} {A} made by hand\n")
    argv = ["ssh-keygen", "-F", name_of("10.4.7.21", port), "-f", str(file)]
    found = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    assert known_of([file], "10.4.7.21", port).keys == ((HostKey(KIND, A),) if A in found else ())


def test_a_revoked_key_is_not_accepted_whichever_line_names_it() -> None:
    known = KnownHosts.of(
        f"{NAME} {KIND} {A}\n@revoked * {KIND} {A}\n{NAME} {KIND} {B}\n@cert-authority * {KIND} {B}\n"
    )
    assert [(line.key.base64, line.revoked) for line in known.about(NAME)] == [(A, False), (B, False), (A, True)]


def test_all_files_count_and_one_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text(f"{NAME} {KIND} {A}\n")
    other.write_text(f"@revoked {NAME} {KIND} {A}\n{NAME.upper()} {KIND} {B}\n")
    assert known_of([one, tmp_path / "none"], NAME, 22).keys == (HostKey(KIND, A),)
    both = known_of([one, other], NAME, 22)
    assert (both.keys, both.revoked) == ((HostKey(KIND, B),), frozenset({HostKey(KIND, A)}))
    one.write_text(f"{NAME} {KIND} {B} changed\n")
    assert known_of([one], NAME, 22).keys == (HostKey(KIND, B),)


@given(st.text(alphabet="abc.*?!|1@[]: ,#\n=", max_size=60), st.sampled_from([NAME, "abc", "[a]:2"]))
def test_any_text_is_read(text: str, name: str) -> None:
    assert all(line.key for line in KnownHosts.of(text).about(name))
