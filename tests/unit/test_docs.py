"""The documents say what is: their links lead somewhere, their commands can be typed, both languages say the same."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from invoke.loader import FilesystemLoader

from hdss7.argv import Words, read
from provision.project import Project
from provision.search_path import SearchPath

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
DOCUMENTS = (ENGLISH, CHINESE, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
COMMENT = re.compile(r"\s+#.*")


def code(document: Path) -> list[str]:
    """The lines that are set as code, fenced or indented by four, without their comments."""
    text = document.read_text()
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    lines += re.findall(r"^ {4}(.*)$", FENCED.sub("", text), re.M)
    return [COMMENT.sub("", line) for line in lines]


def commands(document: Path) -> Iterator[str]:
    """What the document tells to type after `invoke` or `hdss7`, in code and in backquotes."""
    typed = re.compile(r"(?:\$ )?(?:(?:\.venv/bin/)?invoke|hdss7) ([a-z].*)")
    quoted = re.findall(r"`([^`]+)`", FENCED.sub("", document.read_text()))
    for line in (*code(document), *quoted):
        if (found := typed.fullmatch(line)) and "⇥" not in line:  # the key that completes
            yield found[1].replace("\\|", "|")


@pytest.fixture(scope="module")
def contexts() -> Mapping[str, object]:
    """Every command, as Invoke parses it."""
    module, _ = FilesystemLoader(start=str(ROOT)).load("tasks")
    known = module.namespace.to_contexts()
    return {name: context for context in known for name in (context.name, *context.aliases)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            assert target.exists(), link
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.M) if anchor else []
            assert not anchor or anchor in [title.lower().replace(" ", "-") for title in titles], link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_can_be_typed(document: Path, contexts: Mapping[str, object]) -> None:
    for line in commands(document):
        words = shlex.split(line)
        before_dashes = words[: words.index("--")] if "--" in words else words
        assert list(read(before_dashes, {name: Words.of(name, context) for name, context in contexts.items()})), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_examples_in_python_have_the_types_that_lint_demands(document: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", document.read_text(), re.M | re.S):
        for made in ast.walk(ast.parse(block)):
            if isinstance(made, ast.FunctionDef):
                assert made.returns, made.name
                assert all(each.annotation for each in made.args.args if each.arg != "self"), made.name


def test_both_languages_show_the_same() -> None:
    assert code(CHINESE) == code(ENGLISH)
    links = re.compile(r"docs/[\w-]+\.md")
    assert sorted(links.findall(CHINESE.read_text())) == sorted(links.findall(ENGLISH.read_text()))


def test_the_tests_that_mended_traps_are_said_to_have_exist() -> None:
    text = (ROOT / "docs" / "differences-from-the-course.md").read_text()
    files = {path.stem: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    for name in re.findall(r"\b(test_\w+)`", text):
        assert name in files or any(f"def {name}(" in source for source in files.values()), name
    for name in re.findall(r"`(roles/test_\w+)`", text):
        assert (ROOT / "tests" / "unit" / f"{name}.py").is_file(), name


@pytest.mark.parametrize("extra", [(), ("site.managed=false", "kube_proxy.kubeconfig_path=/root/kubeconfig")])
def test_the_inventory_to_copy_compiles_as_it_is(extra: tuple[str, ...]) -> None:
    project = Project(SearchPath.of(ROOT), [ROOT / "inventory" / "hdss7"], extra)
    for host in project.hosts(None):
        host.check_login()
        assert project.declared(host.name)
