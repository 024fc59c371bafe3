"""Values looked up in files, and in files that others name."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.facts.lookup import After, Found, LookupQuestion
from tests.unit.machine import Machine

COMMAND = After("^command=")


@pytest.mark.parametrize(
    ("text", "where", "value"),
    [
        ("  --data-dir=/data/etcd \\\n", After("^ *'?--data-dir="), "/data/etcd"),
        ("  '--data-dir=/srv/a~b' \\\n", After("^ *'?--data-dir="), "/srv/a~b"),
        ("clusterDomain: cluster.local\n", After('^ *"?clusterDomain"?:'), "cluster.local"),
        ('  "clusterDNS": [\n    "192.168.0.2"\n  ],\n', After('^ *"?clusterDNS"?:'), "192.168.0.2"),
        ("clusterDNS:\n- 192.168.0.2\n", After('^ *"?clusterDNS"?:'), "192.168.0.2"),
        ("listen 80;\nlisten 7443;\n", After("^listen ", "7[0-9]+"), "7443"),
        ("# --root=/old\n  --root=/new\n", After("^ *--root="), "/new"),
        ("clusterDNS:\n", After("^clusterDNS:"), ""),
        ("something else\n", COMMAND, ""),
        ("", COMMAND, ""),
    ],
)
def test_a_value_is_what_follows_its_pattern(tmp_path: Path, text: str, where: After, value: str) -> None:
    file = tmp_path / "it's $(touch x)"
    file.write_text(text)
    found = Machine(tmp_path).ask(LookupQuestion(str(file), (where,)))
    assert found == (Found(value, str(file)) if value else Found())


def test_a_value_can_name_the_next_file(tmp_path: Path) -> None:
    start, config = tmp_path / "start.sh", tmp_path / "config"
    (tmp_path / "unit").write_text(f"[program:x]\ncommand={start}\n")
    start.write_text(f"exec x --config={config}\n")
    config.write_text("root: /data\n")
    path = (COMMAND, After("--config="), After("^root:"))
    ask = LookupQuestion(str(tmp_path / "unit"), path)
    gone = LookupQuestion(str(tmp_path / "none"), path)
    answers = Machine(tmp_path).answers([gone, ask])
    assert answers == {gone: Found(), ask: Found("/data", str(config))}
    config.unlink()
    assert Machine(tmp_path).ask(ask) == Found()


def test_a_file_of_somebody_else_is_not_looked_into(tmp_path: Path) -> None:
    file = tmp_path / "nginx.conf"
    ask = LookupQuestion(str(file), (After("^ *listen ", "[0-9]+"),), ours=True)
    file.write_text("listen 80;\n")
    assert Machine(tmp_path).ask(ask) == Found()
    file.write_text("# by provision (role edge)\nlisten 80;\n")
    assert Machine(tmp_path).ask(ask) == Found("80", str(file))
