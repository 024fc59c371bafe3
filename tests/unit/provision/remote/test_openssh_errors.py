"""What ssh (OpenSSH 9.2) said in each case, recorded, as the error that a person reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provision.errors import Exit
from provision.inventory.access import OPENSSH
from provision.remote.login import Login
from provision.remote.openssh_errors import refusal, tells

LOGIN = Login("one", "10.4.7.11", user="deploy", transport=OPENSSH)
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Someone could be eavesdropping on you right now (man-in-the-middle attack)!\r
It is also possible that a host key has just been changed.\r
The fingerprint for the ED25519 key sent by the remote host is
SHA256:zzTLcxzeu4bCdxbfzNtTyIBIWwnfl2bJzIcnyf6OU5I.\r
Please contact your system administrator.\r
Add correct host key in FILE to get rid of this message.\r
Offending ED25519 key in FILE:2\r
  remove with:\r
  ssh-keygen -f "FILE" -R "10.4.7.11"\r
Host key for 10.4.7.11 has changed and you have requested strict checking.\r
Host key verification failed.\r
"""
REVOKED = """\
@       WARNING: REVOKED HOST KEY DETECTED!               @\r
The ED25519 host key for 10.4.7.11 is marked as revoked.\r
ED25519 host key for 10.4.7.11 was revoked and you have requested strict checking.\r
Host key verification failed.\r
"""
UNKNOWN = """\
No ED25519 host key is known for 10.4.7.11 and you have requested strict checking.\r
Host key verification failed.\r
"""
OPEN_KEY = """\
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\r
Permissions 0644 for 'open' are too open.\r
This private key will be ignored.\r
Load key "open": bad permissions\r
deploy@10.4.7.11: Permission denied (publickey).\r
"""
ECHO = "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n"


@pytest.mark.parametrize(
    ("said", "what", "found"),
    [
        (UNKNOWN, "the host key is unknown: refused", "10.4.7.11:22 is in none of"),
        (REVOKED, "the host key is revoked: refused", "a key of kind ED25519"),
        (OPEN_KEY, "deploy was not let in", "Permission denied (publickey)."),
        (
            "deploy@10.4.7.11: Permission denied (publickey,password).\r\n",
            "deploy was not let in",
            "(publickey,password)",
        ),
        (
            "Received disconnect from 10.4.7.11 port 22:2: Too many authentication failures\r\nDisconnected\r\n",
            "deploy was not let in",
            "Too many authentication failures",
        ),
        ("ssh: connect to host 10.4.7.11 port 22: Connection refused\r\n", "could not log in", "connection refused"),
        (
            "ssh: connect to host 10.4.7.11 port 22: Connection timed out\r\n",
            "could not log in",
            "no answer within the connect timeout",
        ),
        (
            "Connection timed out during banner exchange\r\nConnection to 10.4.7.11 port 22 timed out\r\n",
            "could not log in",
            "the port accepts connections, but sshd sends nothing",
        ),
        ("ssh: connect to host 10.4.7.11 port 22: No route to host\r\n", "could not log in", "No route to host"),
        (
            "ssh: Could not resolve hostname x: Name or service not known\r\n",
            "could not log in",
            "Name or service not known",
        ),
        (
            "the lab t is not up. Start it\nproxy dialer did not pass back a connection\r\n",
            "could not log in",
            "the lab t",
        ),
        (
            "Bad owner or permissions on /root/.ssh/config\r\n",
            "could not log in",
            "Bad owner or permissions on /root/.ssh/config",
        ),
        (
            "kex_exchange_identification: banner line contains invalid characters\r\n" + ECHO,
            "could not log in",
            "banner line",
        ),
        (ECHO, "could not log in", "Connection closed by UNKNOWN"),
        ("", "could not log in", "ssh ended without a word"),
    ],
)
def test_the_words_of_ssh_become_the_errors_of_a_login(said: str, what: str, found: str) -> None:
    error = refusal(LOGIN, said)
    assert error.exit is Exit.UNREACHABLE
    assert (error.explanation.host, error.explanation.what) == ("one", what)
    assert found in error.explanation.found
    assert error.explanation.do


def test_a_changed_key_is_shown_beside_the_known_one(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    kind, key, *_ = (tmp_path / "id.pub").read_text().split()
    file = tmp_path / "known hosts"
    file.write_text(f"# first\n10.4.7.11 {kind} {key}\n")
    shown = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "id.pub")], capture_output=True, text=True, check=True)
    found = refusal(LOGIN, CHANGED.replace("FILE", str(file))).explanation.found
    assert "ED25519 SHA256:zzTLcxzeu4bCdxbfzNtTyIBIWwnfl2bJzIcnyf6OU5I, known is ssh-ed25519" in found
    assert shown.stdout.split()[1] in found


def test_a_known_key_that_can_not_be_read_is_named_by_its_place(tmp_path: Path) -> None:
    assert f"({tmp_path}:2)" in refusal(LOGIN, CHANGED.replace("FILE", str(tmp_path))).explanation.found


@pytest.mark.parametrize(("said", "told"), [(ECHO, False), ("", False), (UNKNOWN, True), (ECHO + UNKNOWN, True)])
def test_whether_ssh_has_told_a_cause(said: str, told: bool) -> None:
    assert tells(said) is told
