"""How long `lint` takes of a large inventory beside reading its YAML, as CPU time: other programs do not count."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from hdss7 import inspect
from hdss7.options import Options
from provision.inventory import yamlfile

Write = Callable[[Mapping[str, str]], Path]
HOSTS, GROUPS = 1000, 200
TRIES = 7
ROLE = '''
    """A role of one resource."""

    import msgspec

    from provision.resources import Package


    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """None."""


    def tool(host, site, settings):
        """A package."""
        yield Package(names=("curl",))
'''


def inventory() -> dict[str, Any]:
    """A thousand hosts with variables in 160 groups with variables, which are in 40 others; some have templates."""
    leaves = GROUPS * 4 // 5
    groups: dict[str, Any] = {
        f"g{number}": {
            "hosts": {
                f"host{host}": {
                    "ansible_host": f"10.0.{host // 200}.{host % 200 + 1}",
                    "rack": host % 40,
                    "role": "web",
                }
                for host in range(number, HOSTS, leaves)
            },
            "vars": {"port": 8000 + number, "url": "http://{{ ansible_host }}:{{ port }}/", "tags": ["a", number]},
        }
        for number in range(leaves)
    }
    parents = {
        f"p{number}": {"children": {f"g{child}": None for child in range(number, leaves, GROUPS - leaves)}}
        for number in range(GROUPS - leaves)
    }
    return {"all": {"vars": {"ansible_user": "root"}, "children": {**groups, **parents}}}


def as_ini(groups: Mapping[str, Any]) -> str:
    """The same as INI."""
    lines = ["[all:vars]", "ansible_user=root"]
    for name, group in groups.items():
        lines.append(f"[{name}]")
        for host, values in group.get("hosts", {}).items():
            lines.append(" ".join((host, *(f"{key}={value}" for key, value in values.items()))))
        lines += [f"[{name}:children]", *group.get("children", ())]
        lines += [f"[{name}:vars]", *(f"{key}={value!r}" for key, value in group.get("vars", {}).items())]
    return "\n".join(lines)


def seconds(call: Callable[[], object]) -> float:
    """CPU time of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def ratio(call: Callable[[], object], other: Callable[[], object]) -> float:
    """How much longer one takes than the other: in turn, so that whatever else the machine does slows both down."""
    return min(seconds(call) / seconds(other) for _ in range(TRIES))


@pytest.mark.parametrize("name", ["hosts.yml", "hosts.ini"])
def test_lint_takes_at_most_twice_as_long_as_reading_yaml(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    groups = inventory()
    files = {"hosts.yml": yaml.safe_dump(groups, sort_keys=False), "hosts.ini": as_ini(groups["all"]["children"])}
    folder = write({**files, "site.yml": "- {name: one, hosts: g7, roles: [tool]}\n", "roles/tool.py": ROLE})
    monkeypatch.chdir(folder)

    def lint() -> None:
        assert inspect.lint(Options(inventory=(name,))) == 0
        assert "1 play, 1 role, 7 hosts: nothing wrong" in capsys.readouterr().out

    lint()  # everything is imported now
    assert ratio(lint, lambda: yamlfile.read(folder / "hosts.yml")) <= 2
