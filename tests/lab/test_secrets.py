"""Canaries out of a vault go through deploys to a real host, and are looked for everywhere.

A role that leaks on purpose shows that the scanner would have seen them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from lab import commands
from lab.state import Lab
from tests.lab.conftest import ROOT
from tests.lab.scanner import Scanner
from tests.unit.vaults import encrypted, value

LAB = "t-secrets"
HOST = "keep-1"
NAMES = ("value", "file", "nested", "extra", "sudo", "vault", "former")
HOSTS = """
all:
  vars:
    ansible_become: true
    ansible_user: deploy
    ansible_become_password: {sudo}
  hosts:
    keep-1: {{ansible_host: 10.4.7.31}}
"""
SITE = """
- name: keep
  hosts: keep-1
  roles: [keeps]
"""
SITE_SETTINGS = """
import msgspec


class SiteSettings(msgspec.Struct, frozen=True):
    pass
"""
ROLE = '''
import codecs
import os
from pathlib import Path
from zlib import crc32

import msgspec

from provision.resources import Command, Directory, File, Template

ROT13 = "tr A-Za-z N-ZA-Mn-za-m"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    word: str
    token: str
    users: dict[str, str]
    late: str
    former: str = ""
    fail: bool = False
    leak: str = ""


def keeps(host, site, settings):
    yield Directory(path="/srv/keeps")
    yield File(path="/srv/keeps/template", mode="0600", content=Template("keeps/all.j2"))
    yield File(path="/srv/keeps/python", mode="0640", content=f"{settings.word} {settings.late}\\n")
    mode = "0600" if settings.former else "0644"
    yield File(path="/srv/keeps/former", mode=mode, content=f"was {settings.former}\\n")
    size = "/srv/keeps/size"
    yield Command(name="use it", run=f"sleep 0.5; wc -c </srv/keeps/template >{size}", unless=f"test -e {size}")
    if settings.fail:
        yield Command(name="quote it", run="cat /srv/keeps/* >&2; exit 3", unless="false")
    yield from LEAKS[settings.leak](settings)


def smuggled(script):
    """A command that gets the secret past every guard, as $w."""
    def leak(settings):
        hidden = codecs.encode(settings.word, "rot13")
        done = f"/srv/keeps/{crc32(script.encode())}"
        whole = f"w=$(echo {hidden} | {ROT13})\\n{script}\\ntouch {done}"
        yield Command(name="leak", run=whole, unless=f"test -e {done}")
    return leak


def kept(settings):
    Path(os.environ["XDG_CACHE_HOME"], "kept").write_text(settings.word)
    return ()


LEAKS = {
    "": lambda settings: (),
    "argument": smuggled('sh -c "sleep 1" "$w"'),
    "environment": smuggled('W="$w" sleep 1'),
    "open file": smuggled('echo "$w" >/srv/keeps/leak'),
    "journal": smuggled('logger "$w"'),
    "note": smuggled('mkdir -p /var/lib/provision; echo "$w" >/var/lib/provision/leak'),
    "printed": lambda settings: print(settings.word) or (),
    "kept": kept,
    "refused": lambda settings: [Command(name="x", run=f"true {settings.word}", unless="false")],
}
'''
TEMPLATE = """word={{ settings.word }}
url={{ host.var('url') }}
data={{ settings.token | b64encode }}
{% for name, word in settings.users.items() %}
{{ name }}={{ word | upper | lower }}
{% endfor %}
"""
GROUP_VARS = """
keeps:
  word: {value}
url: "http://ann:{{{{ keeps.word }}}}@{{{{ late_url }}}}/"
late_url: example.org
"""
Invoke = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def canaries() -> dict[str, str]:
    """Lower-case words that nobody else on the machine has."""
    return {name: f"{name}x{secrets.token_hex(8)}" for name in NAMES}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, canaries: dict[str, str]) -> Iterator[Path]:
    """A project with encrypted variables, and its host in a lab of its own, made from the same inventory."""
    root = tmp_path_factory.mktemp("project")
    password = canaries["vault"]
    group = root / "inventory" / "group_vars" / "all"
    for folder in (root / "roles", root / "templates" / "keeps", group, root / "cache"):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "tasks.py", root)
    (root / "password").write_text(f"{password}\n")
    (root / "inventory" / "hosts.yml").write_text(
        HOSTS.format(sudo=value(canaries["sudo"], password).replace("\n", "\n  "))
    )
    (group / "plain.yml").write_text(GROUP_VARS.format(value=value(canaries["value"], password, "site")))
    whole = f"keeps:\n  token: {canaries['file']}\n  users: {{ann: {canaries['nested']}}}\n"
    (group / "vault.yml").write_text(encrypted(whole, password))
    (root / "late.yml").write_text(encrypted(f"keeps: {{late: {canaries['extra']}}}\n", password, "late"))
    former = f"keeps: {{late: {canaries['extra']}, former: {canaries['former']}}}\n"
    (root / "former.yml").write_text(encrypted(former, password))
    for name, text in (("__init__", ""), ("_site", SITE_SETTINGS), ("keeps", ROLE)):
        (root / "roles" / f"{name}.py").write_text(text)
    (root / "templates" / "keeps" / "all.j2").write_text(TEMPLATE)
    (root / "site.yml").write_text(SITE)
    commands.down(LAB, purge=True, say=lambda _: None)
    try:
        up = ("lab.up", "--bare", "--lab", LAB, "--inventory", "inventory", "--vault-password-file", "password")
        done = subprocess.run(_words(*up), cwd=root, env=_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        yield root
    finally:
        commands.down(LAB, purge=True, say=lambda _: None)


def _words(*words: str) -> list[str]:
    return [sys.executable, "-m", "invoke", *words]


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture
def invoke(project: Path) -> Invoke:
    """Runs a command of the project, with the vault's password in a file."""

    def invoke(command: str, *words: str, extra: str = "late.yml") -> subprocess.CompletedProcess[str]:
        given = ("--inventory", "inventory", "--lab", LAB, "--vault-password-file", "password")
        return subprocess.run(
            _words(command, *given, "--extra-vars", f"@{extra}", *words),
            cwd=project,
            env=_environment(XDG_CACHE_HOME=str(project / "cache")),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return invoke


@pytest.fixture
def scanner(canaries: dict[str, str]) -> Scanner:
    return Scanner(canaries)


def seen(scanner: Scanner, project: Path, invoke: Callable[[], subprocess.CompletedProcess[str]]) -> str:
    """Runs a command under the scanner's eyes; what it printed."""
    with scanner.tracking():
        done = invoke()
    for stream, text in (("stdout", done.stdout), ("stderr", done.stderr)):
        scanner.look(stream, text)
    state = Lab.named(LAB).directory
    assert scanner.files("state", state.parent.parent, without=_not_this_labs(state)) > 0
    scanner.files("project", project, without=(project / "password",))
    scanner.host(LAB, HOST)
    assert scanner.looks > 3
    return done.stdout + done.stderr


def _not_this_labs(state: Path) -> tuple[Path, ...]:
    """The folders of other labs, and the disks of this one's hosts: those are looked at from inside."""
    others = (path for path in state.parent.iterdir() if path != state)
    return (*others, *state.glob("hosts/*/disk"))


def on_host(script: str) -> str:
    argv = commands.command(LAB, HOST, ["sh", "-c", script])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


def test_secrets_arrive_and_are_nowhere_else(
    project: Path, invoke: Invoke, scanner: Scanner, canaries: dict[str, str]
) -> None:
    loud = ("--diff", "--verbose", "--verbose")
    said = seen(scanner, project, lambda: invoke("deploy", "--json", *loud, extra="former.yml"))
    report = json.loads(said[: said.index("\n") + 1])
    assert report["exit"] == 0, said
    assert report["hosts"][HOST]["status"] == "changed"
    kept = on_host("cat /srv/keeps/template /srv/keeps/python /srv/keeps/former")
    for name in ("value", "nested", "extra", "former"):
        assert canaries[name] in kept
    assert on_host("stat -c %a /srv/keeps/template /srv/keeps/python /srv/keeps/former").split() == [
        "600",
        "640",
        "600",
    ]
    for words in ("plan --verbose", "lint", "hosts --verbose", "hosts --json", "ping"):
        seen(scanner, project, partial(invoke, *words.split()))
    said = seen(scanner, project, lambda: invoke("deploy", *loud))
    assert "not world-readable" in said  # what was secret before is not shown now that the file is open
    assert on_host("cat /srv/keeps/former") == "was \n"
    blame = ("blame", "--path", "/srv/keeps/template")
    for command in (("history",), blame, ("rollback", "--check", *loud), ("rollback",)):
        seen(scanner, project, partial(invoke, *command))
    assert scanner.found == set()


def test_a_program_that_quotes_its_input_is_told_without_it(project: Path, invoke: Invoke, scanner: Scanner) -> None:
    said = seen(scanner, project, lambda: invoke("deploy", "--extra-vars", "keeps.fail=true"))
    assert "(secret)" in said
    assert "exit" in said or "failed" in said
    assert scanner.found == set()


def test_a_wrong_password_is_told_with_the_place_and_changes_nothing(
    project: Path, invoke: Invoke, scanner: Scanner
) -> None:
    (project / "wrong").write_text("no such password\n")
    words = ("--inventory", "inventory", "--lab", LAB, "--vault-password-file", "wrong")
    done = subprocess.run(
        _words("deploy", *words), cwd=project, env=_environment(), capture_output=True, text=True, check=False
    )
    scanner.look("stderr", done.stderr + done.stdout)
    assert done.returncode == 4
    assert "inventory/group_vars/all/vault.yml: no vault password opens this" in done.stderr
    assert scanner.found == set()


LEAKS = {
    "argument": "cmdline: value",
    "environment": "environ: value",
    "open file": "open on the host: /srv/keeps/leak",
    "journal": "noted on the host: journal",
    "note": "noted on the host: /var/lib/provision/leak",
    "printed": "stdout: value",
    "kept": "project cache/kept: value",
}


@pytest.mark.parametrize(("leak", "place"), LEAKS.items(), ids=LEAKS.keys())
def test_a_role_that_leaks_is_seen_by_the_scanner(
    project: Path, invoke: Invoke, scanner: Scanner, leak: str, place: str
) -> None:
    on_host("rm -f /srv/keeps/leak /var/lib/provision/leak; journalctl --rotate --vacuum-time=1s 2>/dev/null")
    (project / "cache" / "kept").unlink(missing_ok=True)
    said = seen(scanner, project, lambda: invoke("deploy", "--extra-vars", json.dumps({"keeps": {"leak": leak}})))
    assert place in scanner.found, said


def test_a_secret_in_a_command_line_is_refused_before_a_host_is_asked(
    project: Path, invoke: Invoke, scanner: Scanner
) -> None:
    on_host("rm -f /srv/keeps/leak /var/lib/provision/leak; journalctl --rotate --vacuum-time=1s 2>/dev/null")
    (project / "cache" / "kept").unlink(missing_ok=True)
    said = seen(scanner, project, lambda: invoke("deploy", "--extra-vars", '{"keeps": {"leak": "refused"}}'))
    assert "there is a secret in its run" in said
    assert "roles/keeps.py" in said
    assert scanner.found == set()
