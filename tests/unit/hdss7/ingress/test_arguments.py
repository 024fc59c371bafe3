"""Arguments of Traefik 1.7 as Traefik 3 takes them; that it takes them, tests/lab/test_traefik_program.py tries."""

from __future__ import annotations

import pytest

from hdss7.ingress.arguments import is_present, migrate
from hdss7.ingress.entrypoints import entry_point

ENTRY = "--entrypoints.http.address=:80"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--api"], [ENTRY, "--api=true", "--api.insecure=true"]),
        (["--kubernetes"], [ENTRY, "--providers.kubernetesingress=true"]),
        (["--logLevel=INFO"], [ENTRY, "--log.level=INFO"]),
        (["--LOGLEVEL", "INFO"], [ENTRY, "--log.level=INFO"]),
        (["-l", "INFO"], [ENTRY, "--log.level=INFO"]),
        (["--logLevel=INFO", "--debug"], [ENTRY, "--log.level=INFO", "--api.debug=true"]),
        (["--debug=false"], [ENTRY]),
        (["--traefiklog", "--traefiklog.filepath=/a"], [ENTRY, "--log.filepath=/a"]),
        (["--insecureskipverify=true"], [ENTRY, "--serverstransport.insecureskipverify=true"]),
        (["--graceTimeOut=5s"], [ENTRY, "--entrypoints.http.transport.lifecycle.gracetimeout=5s"]),
        (["--entryPoints='Name:web Address::81'"], ["--entrypoints.web.address=:81"]),
        (["--retry"], [ENTRY]),
        ([], [ENTRY]),
    ],
)
def test_an_argument_becomes_that_of_traefik_3(old: list[str], new: list[str]) -> None:
    assert migrate(old).words == new


@pytest.mark.parametrize(
    "word",
    [
        "--retry",
        "--configFile=/etc/traefik.toml",
        "--docker.watch",
        "--acme.onhostrule",
        "--api.statistics",
        "--nonsense",
    ],
)
def test_what_has_no_successor_is_said(word: str) -> None:
    ((index, how, text),) = [note for note in migrate(["--api", word]).notes if note[1] == "lost"]
    assert (index, how) == (1, "lost")
    assert text.startswith(f"{word} has no successor: ")


def test_what_stays_as_it_is_is_not_mentioned() -> None:
    assert not [note for note in migrate(["--ping=true", "--accesslog.format=json"]).notes if note[0] >= 0]


def test_only_some_of_several_entry_points_are_the_default_ones() -> None:
    points = ["--entryPoints=Name:http Address::80", "--entryPoints=Name:https Address::443 TLS"]
    assert "--entrypoints.http.asdefault=true" in migrate(points).words
    chosen = migrate([*points, "--defaultEntryPoints=https"]).words
    assert [word for word in chosen if "asdefault" in word] == ["--entrypoints.https.asdefault=true"]


def test_an_entry_point_without_a_name_is_lost() -> None:
    assert entry_point("Address::80") is None
    assert ("lost", 0) in {(how, index) for index, how, _ in migrate(["--entryPoints=Address::80"]).notes}


def test_what_an_entry_point_can_no_longer_say_is_named() -> None:
    point = entry_point("Name:web Compress:true WhiteList.SourceRange:10.0.0.0/8 TLS:/a.crt,/a.key Nonsense:1")
    assert point
    assert point.arguments == ["--entrypoints.web.address=:80", "--entrypoints.web.http.tls=true"]
    assert [name for name, _ in point.lost] == ["compress", "whitelist.sourcerange", "tls", "nonsense"]


def test_a_redirect_stays_temporary_as_in_1_7() -> None:
    point = entry_point("Name:http Address::80 Redirect.EntryPoint:https")
    assert point
    assert "--entrypoints.http.http.redirections.entrypoint.permanent=false" in point.arguments


@pytest.mark.parametrize(
    "word", ["--providers.kubernetesingress=true", "--entrypoints.web.address=:80", "--log.level=INFO"]
)
def test_arguments_of_traefik_3_are_told_from_those_of_1_7(word: str) -> None:
    assert is_present([word])
    assert not is_present(["--entryPoints=Name:http Address::80", "--providersThrottleDuration=2s", "--logLevel=INFO"])
