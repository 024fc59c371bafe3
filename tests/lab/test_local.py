"""The controller as a host: deployed, changed and rolled back without SSH. Its /var/lib is the test's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import ROOT

# the journal of what was changed lies below /var/lib: here in memory, and seen by nobody else
APART = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /var/lib && exec sh -eu"]
ROLE = """
from collections.abc import Iterator
import msgspec
from provision.resources import File, Resource

class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    '''Variables of the note role.'''

    text: str = "first"

def note(host, site, settings: Settings) -> Iterator[Resource]:
    '''A file.'''
    yield File(path="FOLDER/out.txt", content=settings.text)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "site.yml": "- name: here\n  hosts: localhost\n  roles: [note]\n",
        "roles/note.py": ROLE.replace("FOLDER", str(tmp_path)),
        "inventory/one/hosts.yml": "all: {hosts: {far: {ansible_host: 192.0.2.1}}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def typed(project: Path, *commands: str) -> list[Mapping[str, Any]]:
    """What each command prints with --json, one after the other on one machine; `cat` stands for the file's text."""
    invoke = f"{sys.executable} -m invoke"
    lines = [
        f'printf \'{{"text": "%s"}}\\n\' "$(cat {project}/out.txt)"'
        if command == "cat"
        else f"{invoke} {command.replace(' ', f' --json --project {project} ', 1)} 2>>{project}/errors"
        for command in commands
    ]
    script = "\n".join(lines)
    done = subprocess.run(APART, input=script, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{(project / 'errors').read_text()}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_controller_is_deployed_changed_and_rolled_back(project: Path) -> None:
    found = typed(
        project, "deploy ", "deploy ", "cat", "deploy --extra-vars note.text=second", "cat", "rollback ", "cat"
    )
    first, again, text, second, changed, _, back = found
    assert first["hosts"]["localhost"]["status"] == "changed"
    assert {name: again["hosts"]["localhost"][name] for name in ("status", "connections", "execs")} == {
        "status": "ok",
        "connections": 0,
        "execs": 1,
    }
    assert second["hosts"]["localhost"]["status"] == "changed"
    assert [each["text"] for each in (text, changed, back)] == ["first", "second", "first"]


def test_a_command_runs_here(project: Path) -> None:
    (ran,) = typed(project, "run --limit localhost -- 'echo $((6 * 7))'")
    assert (ran["hosts"]["localhost"]["output"], list(ran["hosts"])) == ("42\n", ["localhost"])
