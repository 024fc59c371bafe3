"""Where vault passwords come from: files, programs, the environment, a person; none before it is needed."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from hdss7.deploy import retyped
from hdss7.options import Options
from hdss7.passwords import VARIABLE, vault
from provision.errors import InputError
from provision.inventory.vault import Vault
from tests.unit.vaults import encrypted


def opens(made: Vault, password: str = "pass", label: str = "") -> str:
    return made.seal(encrypted("hunter22", password, label), "here").open()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("pass\n")
    return path


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def test_a_file_holds_the_password(file: Path) -> None:
    assert opens(vault([str(file)], (), False, {})) == "hunter22"


def test_the_environment_names_a_file(file: Path) -> None:
    assert opens(vault((), (), False, {VARIABLE: str(file)})) == "hunter22"


def test_a_password_program_runs_once_and_only_when_needed(tmp_path: Path) -> None:
    made = vault([program(tmp_path / "get", f"echo ran >>{tmp_path}/runs; echo pass")], (), False, {})
    assert not (tmp_path / "runs").exists()
    assert [opens(made), opens(made)] == ["hunter22", "hunter22"]
    assert (tmp_path / "runs").read_text() == "ran\n"


def test_a_client_program_is_told_the_vault_id(tmp_path: Path) -> None:
    client = program(tmp_path / "get-client.sh", 'test "$1" = --vault-id && echo "pass-$2"')
    assert opens(vault((), [f"prod@{client}"], False, {}), "pass-prod", "prod") == "hunter22"


def test_a_person_types_it_or_pipes_it_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("first\nsecond\n"))
    made = vault((), ["dev@prompt"], True, {})
    assert opens(made, "first", "dev") == opens(made, "second") == "hunter22"


WRONG = [
    (["/nowhere/password"], [], {}, "/nowhere/password: there is no such file"),
    ([], [], {VARIABLE: "/nowhere/password"}, "No such file"),
    (["{empty}"], [], {}, "empty"),
    (["{failing}"], [], {}, "ended with code 3"),
    (["{broken}"], [], {}, "chmod -x"),
    (["{folder}"], [], {}, "it is a folder"),
    ([], ["prod@"], {}, "LABEL@FILE"),
    ([], ["@x"], {}, "LABEL@FILE"),
]


@pytest.mark.parametrize(("files", "ids", "environment", "says"), WRONG)
def test_a_password_that_can_not_be_had_says_why(
    tmp_path: Path, files: list[str], ids: list[str], environment: dict[str, str], says: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    program(tmp_path / "failing", "exit 3")
    (tmp_path / "broken").write_text("pass")
    (tmp_path / "broken").chmod(0o700)
    (tmp_path / "folder").mkdir()
    names = {name: str(tmp_path / name) for name in ("empty", "failing", "broken", "folder")}
    with pytest.raises(InputError, match=says):
        opens(vault([file.format(**names) for file in files], ids, False, environment))


def test_the_next_command_names_the_password_file_only() -> None:
    options = Options(
        vault_password_file=("pw",),
        vault_id=("prod@pw2",),
        ask_vault_pass=True,
        extra_vars=("a=1", "ansible_become_password=hunter22", '{"ansible_ssh_pass": "hunter22"}', "@ansible_password"),
    )
    assert retyped(options) == (
        " --extra-vars a=1 --extra-vars ... --extra-vars ... --extra-vars @ansible_password"
        " --vault-password-file pw --vault-id prod@pw2 --ask-vault-pass"
    )
