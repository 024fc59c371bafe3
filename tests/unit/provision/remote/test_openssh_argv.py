"""The command line of ssh: what of a login becomes which option, and that nothing of it is read as anything else."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from provision.inventory.access import OPENSSH
from provision.inventory.ssh_args import Jump
from provision.remote.login import Login
from provision.remote.openssh_argv import argv

LOGIN = Login("one", "10.4.7.11", transport=OPENSSH, port_left=True)
HOSTILE = "a b\"c'd%h$(touch x)#e"


def options(login: Login, control: Path | None = None) -> dict[str, str]:
    """The options that are written as `-o NAME=VALUE`."""
    words = argv(login, control)
    return dict(after.split("=", 1) for word, after in pairwise(words) if word == "-o")


def read_by_ssh(words: list[str]) -> dict[str, str]:
    """What ssh makes of a command line, by its own account (ssh -G)."""
    said = subprocess.run([words[0], "-F", "none", "-G", *words[1:]], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)


@pytest.mark.parametrize(
    ("login", "has"),
    [
        (LOGIN, ["--", "10.4.7.11"]),
        (replace(LOGIN, user="deploy"), ["-l", "deploy", "--", "10.4.7.11"]),
        (replace(LOGIN, port=2222, port_left=False), ["-p", "2222", "--", "10.4.7.11"]),
        (replace(LOGIN, port_left=False), ["-p", "22", "--", "10.4.7.11"]),
        (replace(LOGIN, key_files=("/k",)), ["-o", 'IdentityFile="/k"', "-o", "IdentitiesOnly=yes", "--", "10.4.7.11"]),
    ],
    ids=["only an address", "user", "port", "port 22 that was written", "key"],
)
def test_a_login_is_written_as_options(login: Login, has: list[str]) -> None:
    words = argv(login, None)
    assert words[-len(has) :] == has
    assert words[0] == "ssh"


def test_what_nobody_gave_is_left_to_ssh_config() -> None:
    words = argv(LOGIN, None)
    assert not {"-p", "-l", "-F", "-i"} & {*words}
    assert not {"IdentityFile", "IdentitiesOnly", "UserKnownHostsFile", "ProxyCommand", "User"} & {*options(LOGIN)}


def test_host_keys_are_always_checked_and_nothing_is_asked() -> None:
    for each in (LOGIN, replace(LOGIN, known_hosts=("/k",)), replace(LOGIN, jumps=(Jump("j"),))):
        given = options(each)
        assert (given["StrictHostKeyChecking"], given["BatchMode"], given["UpdateHostKeys"]) == ("yes", "yes", "no")


def test_a_file_of_host_keys_is_the_only_one() -> None:
    given = options(replace(LOGIN, known_hosts=("/k",)))
    assert (given["UserKnownHostsFile"], given["GlobalKnownHostsFile"]) == ('"/k"', "/dev/null")


@pytest.mark.parametrize(("timeout", "seconds"), [(10.0, "10"), (0.2, "1"), (2.5, "3")])
def test_the_timeout_is_given_in_whole_seconds(timeout: float, seconds: str) -> None:
    assert options(replace(LOGIN, timeout=timeout))["ConnectTimeout"] == seconds


def test_a_connection_is_kept_only_where_a_socket_is_named() -> None:
    kept, alone = options(LOGIN, Path("/s/x")), options(LOGIN)
    assert (kept["ControlMaster"], kept["ControlPath"], kept["ControlPersist"]) == ("auto", '"/s/x"', "600")
    assert (alone["ControlMaster"], alone["ControlPath"]) == ("no", "none")


def test_hostile_values_are_read_by_ssh_as_they_are() -> None:
    login = replace(
        LOGIN, key_files=(f"/{HOSTILE}",), known_hosts=(f"/{HOSTILE}",), jumps=(Jump("j", key=f"/{HOSTILE}"),)
    )
    seen = read_by_ssh(argv(login, Path(f"/s/{HOSTILE}")))
    for name in ("identityfile", "userknownhostsfile", "controlpath"):
        assert seen[name].replace("%%", "%").strip('"').replace('\\"', '"').endswith(HOSTILE), (name, seen[name])


def inner(login: Login) -> list[str]:
    """The words that sh runs for a login's ProxyCommand, once ssh has replaced its tokens."""
    command = options(login)["ProxyCommand"].replace("%%", "\0").replace("%h", "HOST").replace("%p", "PORT")
    return shlex.split(command.replace("\0", "%"))


def test_the_inventorys_dialler_hands_a_socket_over() -> None:
    login = replace(LOGIN, dial=f"lab.network:dial {HOSTILE}", timeout=2.5)
    words = [sys.executable, "-m", "provision.remote.proxy_command", login.dial, "2.5", "HOST", "PORT"]
    assert inner(login) == words
    assert options(login)["ProxyUseFdpass"] == "yes"


def test_a_jump_host_gets_the_same_strict_options() -> None:
    login = replace(
        LOGIN, key_files=("/k",), known_hosts=("/a%b",), jumps=(Jump("j", "me", 2200), Jump("::1", key="/own"))
    )
    last = inner(login)
    assert last[-4:] == ["-W", "[HOST]:PORT", "--", "::1"]
    assert {"StrictHostKeyChecking=yes", "BatchMode=yes", 'UserKnownHostsFile="/a%%b"', 'IdentityFile="/own"'} <= {
        *last
    }
    (way,) = (word.partition("=")[2] for word in last if word.startswith("ProxyCommand="))
    first = shlex.split(way)
    assert first[-4:] == ["-W", "[%h]:%p", "--", "j"]
    assert {'IdentityFile="/k"', "-l", "me", "-p", "2200", "ControlPath=none"} <= {*first}


def test_the_first_jump_host_is_dialled() -> None:
    login = replace(LOGIN, dial="lab.network:dial x", jumps=(Jump("j"),))
    (way,) = (word.partition("=")[2] for word in inner(login) if word.startswith("ProxyCommand="))
    assert way.endswith("provision.remote.proxy_command 'lab.network:dial x' 10 %h %p")
