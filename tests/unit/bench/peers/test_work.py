"""The common work is the same for everyone: each one's files declare the same 13 templates, packages and programs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jinja2
import paramiko
import pytest
import yaml

from bench.peers import ansible, bundlewrap, hdss7, pyinfra
from bench.peers.contestant import Hosts, environment, ssh_config
from bench.peers.hosts import changed, expected_change, wrong
from bench.peers.workload import GREETING, PACKAGES, PROGRAMS, TEMPLATES, content, folder, target, template
from provision.inventory import Inventory
from provision.project import Project
from provision.resources import File
from provision.search_path import SearchPath

ROOT = Path(__file__).resolve().parents[4]
HOSTS = Hosts({"h1": "10.4.7.11", "h2": "10.4.7.21"}, Path("/keys/id"), Path("/keys/known_hosts"), Path("/keys/config"))


@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize("number", TEMPLATES)
def test_a_template_renders_alike_whatever_is_trimmed(number: int, trim: bool) -> None:
    engine = jinja2.Environment(trim_blocks=trim, lstrip_blocks=trim, keep_trailing_newline=True)
    rendered = engine.from_string(template(number)).render(number=number, greeting=GREETING, answer="yes")
    assert rendered.encode() == content(number, "yes")


def test_only_one_template_follows_the_answer() -> None:
    differ = {f"{number}.conf" for number in TEMPLATES if content(number, "a") != content(number, "b")}
    assert len(TEMPLATES) == 13
    assert differ == expected_change()


def test_the_playbook_declares_the_work() -> None:
    [play] = yaml.safe_load(ansible.playbook(folder("x")))
    tasks = {task["name"]: task for task in play["tasks"]}
    assert tasks["packages"]["ansible.builtin.apt"]["name"] == list(PACKAGES)
    assert tasks["files"]["loop"] == list(TEMPLATES)
    assert tasks["files"]["ansible.builtin.template"]["dest"].replace("{{ number }}", "7") == target("x", 7)
    assert tasks["programs, asked"]["ansible.builtin.command"].split()[2:] == list(PROGRAMS)


def test_the_playbook_without_a_loop_declares_the_same_files() -> None:
    [play] = yaml.safe_load(ansible.playbook(folder("x"), loop=False))
    files = [task for task in play["tasks"] if task["name"] == "files"]
    assert [task["ansible.builtin.template"]["dest"] for task in files] == [target("x", n) for n in TEMPLATES]
    assert [task["vars"]["number"] for task in files] == list(TEMPLATES)


def test_ansibles_inventory_is_one(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(ansible.inventory(HOSTS))
    read = Inventory.load([tmp_path / "hosts.yml"])
    assert {host.name: host.address for host in read.hosts} == HOSTS.addresses


def test_pyinfras_files_are_python_that_names_the_work() -> None:
    found: dict[str, Any] = {}
    exec(compile(pyinfra.inventory(HOSTS), "inventory.py", "exec"), found)
    assert {name: data["ssh_hostname"] for name, data in found["hosts"]} == HOSTS.addresses
    deploy = pyinfra.deploy(folder("x"))
    compile(deploy, "deploy.py", "exec")
    for wanted in (str(TEMPLATES), str(list(PACKAGES)), *PROGRAMS, folder("x")):
        assert wanted in deploy


def test_bundlewraps_items_are_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bundlewrap.ANSWER, "yes")
    found: dict[str, Any] = {}
    exec(compile(bundlewrap.items("x"), "items.py", "exec"), found)
    assert list(found["files"]) == [target("x", number) for number in TEMPLATES]
    assert found["files"][target("x", 7)]["context"] == {"greeting": GREETING, "answer": "yes", "number": 7}
    assert list(found["pkg_apt"]) == list(PACKAGES)
    exec(compile(bundlewrap.nodes(HOSTS), "nodes.py", "exec"), found)
    assert {name: node["hostname"] for name, node in found["nodes"].items()} == HOSTS.addresses


@pytest.mark.parametrize(
    ("make", "asks"),
    [
        (hdss7.hdss7, {f"Program {name}" for name in PROGRAMS}),
        (hdss7.hdss7_asking, {f"AskedPrograms {' '.join(PROGRAMS)}"}),
    ],
)
def test_our_own_role_declares_the_work(tmp_path: Path, make: Any, asks: set[str]) -> None:
    contestant = make(tmp_path, HOSTS)
    own = tmp_path / contestant.name
    project = Project(SearchPath.of(own, ROOT), [own / "inventory"], ["peers.answer=yes"])
    declared = {each.resource.key: each.resource for each in project.declared("h2")}
    assert {key for key in declared if "Program" in key} == asks
    files = {key.removeprefix("File "): file for key, file in declared.items() if key.startswith("File ")}
    assert list(files) == [target(contestant.name, number) for number in TEMPLATES]
    for number in TEMPLATES:
        file = files[target(contestant.name, number)]
        assert isinstance(file, File)
        assert file.content == content(number, "yes")


def test_ssh_reaches_each_host_as_root_by_name_and_by_address(tmp_path: Path) -> None:
    text = ssh_config(HOSTS.addresses, HOSTS.key, HOSTS.known_hosts)
    read = paramiko.SSHConfig.from_text(text)
    for name in ("h2", "10.4.7.21"):
        found = read.lookup(name)
        assert (found["hostname"], found["user"], found["stricthostkeychecking"]) == ("10.4.7.21", "root", "yes")


def test_nobodys_settings_reach_a_contestant() -> None:
    mine = {"PATH": "/bin", "ANSIBLE_FORKS": "1", "BW_DEBUG": "1", "PYTHONPATH": "/x", "SSH_AUTH_SOCK": "/s"}
    found = environment(Path("/home"), mine)
    assert found == {"PATH": "/bin", "HOME": "/home", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def fingerprint(answer: str, inode: int = 1) -> list[str]:
    sums = {number: hashlib.sha256(content(number, answer)).hexdigest() for number in TEMPLATES}
    return [f"{target('x', number)} {inode} {sums[number]}" for number in TEMPLATES]


def test_files_of_another_content_or_missing_are_noticed() -> None:
    good, other = fingerprint("yes"), fingerprint("no")
    assert wrong({"h1": good}, "yes") == ""
    assert wrong({"h1": good, "h2": other}, "yes") == "h2: 1.conf is another one"
    assert wrong({"h1": good[:-1]}, "yes") == "h1: 13.conf is missing"
    assert wrong({"h1": []}, "yes") == "h1: 1.conf is missing"


def test_files_made_anew_are_noticed_though_they_hold_the_same() -> None:
    good = fingerprint("yes")
    assert changed({"h1": good}, {"h1": good}) == frozenset()
    assert changed({"h1": good}, {"h1": fingerprint("no")}) == expected_change()
    assert changed({"h1": good}, {"h1": [*good[:-1], *fingerprint("yes", inode=2)[-1:]]}) == {"13.conf"}
