"""Which server and location take a request, held against what a real nginx answered (record_nginx.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.urltrace.record_nginx import cases
from urltrace.nginx.choice import NginxChoice, choose
from urltrace.nginx.syntax import parse_dump
from urltrace.nginx.upstreams import effective, host_sent
from urltrace.request import Request

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded").joinpath("nginx.json").read_text())
MAIN = parse_dump(RECORDED["dump"])
ANSWERS: list[dict[str, Any]] = RECORDED["answers"]


def chosen(answer: dict[str, Any]) -> NginxChoice:
    path, _, query = answer["path"].partition("?")
    host = "" if answer["host"] == "-" else answer["host"]
    return choose(MAIN, Request(host, path, query), answer["address"], RECORDED["port"])


def mark(choice: NginxChoice) -> str:
    """What the chosen block adds to its answers."""
    assert choice.server
    blocks = [choice.server.server.block]
    if choice.location:
        blocks += [one.block for one in choice.location.locations]
    lines = effective(MAIN, blocks, "add_header")
    return lines[-1].arguments[1] if lines else ""


def test_the_recorded_requests_are_those_of_the_recorder() -> None:
    assert [{key: answer[key] for key in ("address", "host", "path")} for answer in ANSWERS] == cases()


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: f"{one['address']}-{one['host']}-{one['path']}"[:60])
def test_the_block_is_the_one_that_answered(answer: dict[str, Any]) -> None:
    choice = chosen(answer)
    if answer["status"] == 400:
        assert choice.location is None
        return
    assert mark(choice) == answer["where"]
    assert choice.location
    assert choice.location.redirect == (answer["status"] == 301)


@pytest.mark.parametrize("answer", [one for one in ANSWERS if one["sent"]], ids=lambda one: one["path"])
def test_the_host_sent_is_the_one_that_arrived(answer: dict[str, Any]) -> None:
    proxied = chosen(answer).proxied
    assert proxied
    assert host_sent(MAIN, proxied, answer["host"]) == answer["sent"].partition("|")[0]


def test_every_directive_knows_its_line() -> None:
    choice = choose(MAIN, Request("any.od.com"), "127.0.0.1", RECORDED["port"])
    assert choice.sentence == (
        "server_name *.od.com in /etc/nginx/sites/20-names.conf:7; no location, so that the server block itself answers"
    )


def test_a_duplicate_name_is_shadowed() -> None:
    choice = choose(MAIN, Request("exact.od.com"), "127.0.0.1", RECORDED["port"])
    assert choice.server
    assert [server.place for server in choice.server.shadowed] == ["/etc/nginx/sites/20-names.conf:15"]


def test_the_default_server_says_why() -> None:
    choice = choose(MAIN, Request("unknown.example"), "127.0.0.1", RECORDED["port"])
    assert choice.server
    assert choice.server.default
    assert "default_server of *:" in choice.sentence
    assert "because no server_name matches" in choice.sentence


def test_nothing_listens_on_another_port() -> None:
    assert choose(MAIN, Request("any.od.com"), "127.0.0.1", 1).server is None


def test_backends_keep_their_marks() -> None:
    proxied = choose(MAIN, Request("paths.test", "/app/"), "127.0.0.1", RECORDED["port"]).proxied
    assert proxied
    assert [(str(backend), backend.max_fails) for backend in proxied.backends] == [
        (f"127.0.0.3:{RECORDED['port']}", 3),
        ("127.0.0.3:1 down", 1),
    ]
    assert len(proxied.asked) == 1
