"""What a person reads: a line a hop, then the verdict, in less than 25 lines."""

from __future__ import annotations

from typing import Any

import pytest

from provision.errors import InputError
from tests.unit.urltrace.cases import edge, name, node, traefik
from tests.unit.urltrace.site import demo, evidence
from urltrace.kubernetes.objects import read_objects
from urltrace.request import parse_request
from urltrace.summary import foretold, summary
from urltrace.verdict import judge
from urltrace.view import View


def test_a_healthy_path_is_one_line_a_hop() -> None:
    found = evidence()
    lines = summary(found, judge(found))
    assert lines[0] == "GET http://demo.od.com/"
    assert [line[2] for line in lines[1:9]] == ["✓"] * 8
    assert lines[-1].startswith("Not ") or lines[-1].startswith("Verdict: it answers")


@pytest.mark.parametrize("case", [*name.CASES, *edge.CASES, *node.CASES, *traefik.CASES], ids=lambda case: case[1])
def test_a_broken_path_fits_on_a_terminal(case: Any) -> None:
    found = evidence(*case[3])
    lines = summary(found, judge(found))
    assert len(lines) < 25
    assert sum(line.startswith("  ✗") for line in lines) >= 1
    assert any(line.startswith("Fix:     ") for line in lines)


def test_a_change_is_foretold() -> None:
    lines = foretold(View(evidence()), read_objects([demo("demo.od.com", "/api", ingressClassName="graefik")]))
    assert lines[0] == "With it: Ingress default/demo -> Traefik's 404"
    assert "its class is graefik" in lines[1]


def test_a_file_without_an_ingress_says_so() -> None:
    assert foretold(View(evidence()), read_objects([{"kind": "Service"}, None])) == ["With it: the file has no Ingress"]


def test_a_change_is_not_judged_without_the_api() -> None:
    assert "not known" in foretold(View(evidence(unasked=("hdss7-21",))), read_objects([demo()]))[0]


@pytest.mark.parametrize(
    ("url", "method", "header"),
    [
        ("demo.od.com", "GET", ()),
        ("ftp://demo.od.com/", "GET", ()),
        ("http:///x", "GET", ()),
        ("http://demo.od.com:x/", "GET", ()),
        ("http://a b/", "GET", ()),
        ("http://demo.od.com/a b", "GET", ()),
        ("http://user:word@demo.od.com/", "GET", ()),
        ("http://demo.od.com$(touch x)/", "GET", ()),
        ("http://demo..od.com/", "GET", ()),
        ("http://.od.com/", "GET", ()),
        (f"http://{'a' * 64}.od.com/", "GET", ()),
        ("http://demo.od.com:0/", "GET", ()),
        ("http://demo.od.com/#part", "GET", ()),
        ("http://demo.od.com/", "GET\r\nX: y", ()),
        ("http://demo.od.com/", "GET", ("no colon",)),
        ("http://demo.od.com/", "GET", ("A: b\r\nC: d",)),
        ("http://demo.od.com/", "GET", ("Host: other",)),
    ],
)
def test_bad_input_is_refused(url: str, method: str, header: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        parse_request(url, method, header)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@demo.od.com/",
        "http://user:hunter2@demo od.com/",
        "http://user:hunter2#x@demo.od.com/",
        "http://user:hunter2/x@demo.od.com/",
        "ftp://user:hunter2@demo.od.com/",
    ],
)
def test_a_password_in_a_url_is_printed_nowhere(url: str) -> None:
    with pytest.raises(InputError) as error:
        parse_request(url)
    assert "hunter2" not in str(error.value)


def test_a_url_becomes_a_request() -> None:
    request = parse_request("http://Demo.od.com:8080/a%20b?c=d", "POST", ["X-Key:  value "])
    assert (request.host, request.name, request.port) == ("Demo.od.com:8080", "demo.od.com", 8080)
    assert (request.path, request.query, request.headers) == ("/a%20b", "c=d", (("X-Key", "value"),))
    assert parse_request("https://demo.od.com").port == 443
    assert parse_request("http://demo.od.com:80/").host == "demo.od.com"


def test_both_nodes_stand_side_by_side() -> None:
    found = evidence()
    lines = summary(found, judge(found), verbose=True)
    assert lines[1].split() == ["hdss7-21", "hdss7-22"]
    assert lines[2].split() == ["from", "hdss7-11", "200", "in", "0.010", "s", "200", "in", "0.010", "s"]
    assert len({line.index("200 in", 20) for line in lines[2:5]}) == 1
