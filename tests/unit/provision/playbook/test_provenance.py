"""What a resource depends on, read from the text of roles and templates."""

from __future__ import annotations

import pytest

from provision.playbook.provenance import Reading, templates
from provision.resources import File, Template
from provision.search_path import SearchPath
from tests.unit.conftest import Write

ROLE = """
import msgspec

from provision.resources import File, Template
from roles._shared import address as where


class Settings(msgspec.Struct):
    text: str = "x"
    port: int = 80
    users: dict[str, str] = {}
    extra: bool = False


def web(host, site, settings):
    yield File(path="/direct", content=settings.text)
    names = [name for name in settings.users]
    yield File(path="/through", content=",".join(names))
    if settings.extra:
        yield File(path="/when", content="")
    for image in site.images.values():
        yield File(path=image, content="")
    yield File(path="/called", content=where(site))
    yield from _more(host, settings)
    yield File(path="/template", content=Template("web/x.j2"))
    yield File(path="/plain", content=host.var("motd"))
    yield File(path="/key", content=site.images["pause"].name)


def _more(host, settings):
    yield File(path="/more", content=f"{settings.port}")
"""
SHARED = """
def address(site):
    return _of(site) or "none"


def _of(site):
    return site.vip
"""
FILES = {
    "roles/web.py": ROLE,
    "roles/_shared.py": SHARED,
    "roles/_site.py": "import msgspec\n\n\nclass SiteSettings(msgspec.Struct):\n    vip: str = ''\n",
    "templates/web/x.j2": "one\n{% include 'web/y.j2' %}\nport {{ settings.port }}\n{{ site.images.items() }}\n",
    "templates/web/y.j2": "{{ site['vip'] }}\n",
}


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(ROLE.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('path="/direct"', ["web.text"]),
        ('path="/through"', ["web.users"]),
        ('path="/when"', ["web.extra"]),
        ("path=image", ["site.images"]),
        ('path="/called"', ["site.vip"]),
        ('path="/more"', ["web.port"]),
        ("yield from _more", ["web.port"]),
        ('path="/template"', ["web.port", "site.images", "site.vip"]),
        ('path="/plain"', ["motd"]),
        ('path="/key"', ["site.images.pause.name"]),
    ],
)
def test_a_resource_rests_on_what_its_statement_uses(write: Write, statement: str, expected: list[str]) -> None:
    root = write(FILES)
    written = File(path="/t", content=Template("web/x.j2")) if "template" in statement else None
    uses = Reading(SearchPath.of(root)).uses("web", f"roles/web.py:{line_of(statement)}", written)
    assert [use.name for use in uses] == expected


def test_a_use_says_its_line_in_role_or_template(write: Write) -> None:
    root = write(FILES)
    reading = Reading(SearchPath.of(root))
    uses = reading.uses("web", f"roles/web.py:{line_of('/template')}", File(path="/t", content=Template("web/x.j2")))
    assert [use.line for use in uses] == ["templates/web/x.j2:3", "templates/web/x.j2:4", "templates/web/y.j2:1"]
    called = reading.uses("web", f"roles/web.py:{line_of('/called')}", None)
    assert called[0].line == "roles/_shared.py:7"
    assert reading.default(("web", "port")) == f"roles/web.py:{line_of('port: int')}"
    assert reading.default(("web", "none")) == ""


@pytest.mark.parametrize("line", ["", "roles/none.py:3", "roles/web.py:x", "roles/web.py:9999"])
def test_a_line_that_is_not_there_rests_on_nothing(write: Write, line: str) -> None:
    assert Reading(SearchPath.of(write(FILES))).uses("web", line, None) == ()


def test_templates_of_resources_that_are_only_named_are_not_ones_own() -> None:
    file = File(path="/a", content=Template("a.j2"))
    assert [t.source for t in templates(file)] == ["a.j2"]
    from provision.resources import Service

    assert list(templates(Service(name="s", restart_on=(file,)))) == []
