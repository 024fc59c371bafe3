"""Host patterns. The tables hold what ansible-core 2.19.14 answers for the same inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import Exit, InputError
from provision.inventory.patterns import CONTROLLER, members, select, with_files
from provision.inventory.ranges import expand

NODES = ("hdss7-21", "hdss7-22", "hdss7-23", "hdss7-24", "db-a.od.com", "db-b.od.com")
HOSTS = (*NODES, "hdss7-11", "hdss7-99")
GROUPS = {
    "all": HOSTS,
    "ungrouped": (),
    "nodes": NODES,
    "masters": ("hdss7-21", "hdss7-22", "hdss7-11"),
    "etcd": ("hdss7-11", "hdss7-21", "hdss7-22"),
    "edge": ("hdss7-11",),
    "proxy_only": (),
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("all", HOSTS),
        ("*", HOSTS),
        ("nodes", NODES),
        ("hdss7-22:hdss7-21", ("hdss7-22", "hdss7-21")),
        ("hdss7-22,hdss7-21", ("hdss7-22", "hdss7-21")),
        ("edge, hdss7-21", ("hdss7-11", "hdss7-21")),
        ("edge:masters", ("hdss7-11", "hdss7-21", "hdss7-22")),
        ("nodes:!hdss7-22", ("hdss7-21", "hdss7-23", "hdss7-24", "db-a.od.com", "db-b.od.com")),
        ("nodes:&masters", ("hdss7-21", "hdss7-22")),
        ("masters:&etcd:!hdss7-11", ("hdss7-21", "hdss7-22")),
        ("!masters:nodes", ("hdss7-23", "hdss7-24", "db-a.od.com", "db-b.od.com")),
        ("!nodes", ("hdss7-11", "hdss7-99")),
        ("&edge", ("hdss7-11",)),
        ("hdss7-2*", ("hdss7-21", "hdss7-22", "hdss7-23", "hdss7-24")),
        ("hdss7-?1", ("hdss7-21", "hdss7-11")),
        ("*.od.com", ("db-a.od.com", "db-b.od.com")),
        ("m*s", ("hdss7-21", "hdss7-22", "hdss7-11")),
        ("~hdss7-(?:11|21)", ("hdss7-21", "hdss7-11")),
        ("~hdss7-(11|21)", ("hdss7-21", "hdss7-11")),
        (r"~.*\.od\.com", ("db-a.od.com", "db-b.od.com")),
        ("nodes:!~hdss7.*", ("db-a.od.com", "db-b.od.com")),
        ("nodes[0]", ("hdss7-21",)),
        ("nodes[-1]", ("db-b.od.com",)),
        ("etcd[0]", ("hdss7-11",)),
        ("nodes[0:1]", ("hdss7-21", "hdss7-22")),
        ("nodes[0-1]", ("hdss7-21", "hdss7-22")),
        ("nodes[4:]", ("db-a.od.com", "db-b.od.com")),
        ("nodes[4:99]", ("db-a.od.com", "db-b.od.com")),
        ("hdss7-2*[0:1]", ("hdss7-21", "hdss7-22")),
        ("masters[0:1]:!hdss7-21", ("hdss7-22",)),
        ("edge:nodes[0:1]", ("hdss7-11", "hdss7-21", "hdss7-22")),
        ("proxy_only", ()),
        ("edge:!hdss7-11", ()),
        ("hdss7-22 hdss7-21", ("hdss7-22", "hdss7-21")),
        ("nodes !masters", ("hdss7-23", "hdss7-24", "db-a.od.com", "db-b.od.com")),
        ("nodes : &masters", ("hdss7-21", "hdss7-22")),
        ("edge[1:]", ()),
        ("edge[3:4]", ()),
        ("nodes[7:9]", ()),
        ("proxy_only[0]", ()),
        ("nodes[2:2]", ("hdss7-23",)),
        ("nodes[0:0]", ("hdss7-21",)),
    ],
)
def test_a_pattern_means_what_it_means_to_ansible(pattern: str, expected: tuple[str, ...]) -> None:
    assert select(pattern, HOSTS, GROUPS) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("2001:db8::1", ("2001:db8::1",)),
        ("2001:db8::1,h1", ("2001:db8::1", "h1")),
        ("all,!2001:db8::1", ("h1", "fe80::2%eth0")),
        ("fe80::2%eth0 , h1", ("fe80::2%eth0", "h1")),
    ],
)
def test_an_address_of_ipv6_is_one_part(pattern: str, expected: tuple[str, ...]) -> None:
    hosts = ("h1", "2001:db8::1", "fe80::2%eth0")
    assert select(pattern, hosts, {"all": hosts}) == expected


def test_of_a_host_and_a_group_of_one_name_the_host_is_meant() -> None:
    hosts, groups = ("web", "h1", "h2"), {"all": ("web", "h1", "h2"), "web": ("h1",)}
    assert [select(pattern, hosts, groups) for pattern in ("web", "web[0]", "!web")] == [
        ("web",),
        ("h1",),
        ("web", "h2"),
    ]


def test_a_file_of_hosts_stands_for_its_lines(tmp_path: Path) -> None:
    (tmp_path / "failed.retry").write_text("hdss7-21\n\n  hdss7-22  \nedge:&masters\n")
    assert with_files("@failed.retry", tmp_path) == "hdss7-21,hdss7-22,edge:&masters"
    assert with_files(f"@{tmp_path}/failed.retry:!hdss7-21", Path("/")).endswith(",!hdss7-21")
    assert with_files("nodes hdss7-11", tmp_path) == "nodes,hdss7-11"


@pytest.mark.parametrize(("text", "words"), [(None, "can't be read"), ("\n \n", "is empty"), (b"\xff", "not text")])
def test_a_file_of_no_hosts_is_refused(tmp_path: Path, text: str | bytes | None, words: str) -> None:
    if text is not None:
        (tmp_path / "failed.retry").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=rf"'failed.retry'.*{words}"):
        with_files("@failed.retry", tmp_path)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", ["empty", "'all' means every host"]),
        ("  ", ["empty"]),
        ("nodes:", ["a part of 'nodes:' is empty"]),
        ("nodes:!", ["is empty"]),
        ("&", ["is empty"]),
        ("edge,,nodes", ["is empty"]),
        ("ndoes", ["'ndoes'", "Did you mean 'nodes'?"]),
        ("hdss7_21", ["Did you mean 'hdss7-21'?"]),
        ("nodes:!hdss7-2", ["no host or group matches 'hdss7-2'", "nodes:!hdss7-2"]),
        ("web*", ["'web*'", "Groups: all"]),
        ("nodes[9]", ["nodes has 6 in all"]),
        ("edge[1]", ["edge has 1 in all"]),
        ("localhost[1]", ["no host or group matches 'localhost'"]),
        ("nodes[3:1]", ["ends before it begins"]),
        ("hdss7-2[1:3]", ["no host or group matches 'hdss7-2'", "counts the hosts of a group", "~web0[1-3]"]),
        ("hdss7-[21:29]", ["no host or group matches 'hdss7-'"]),
        ("~hdss7-(", ["regular expression"]),
        ("@failed.retry", ["'@failed.retry'", "--limit only"]),
    ],
)
def test_a_pattern_that_means_no_host_is_refused_and_never_means_all(pattern: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        select(pattern, HOSTS, GROUPS)
    assert caught.value.exit == Exit.BAD_INPUT
    for word in words:
        assert word in str(caught.value)


PARTS = st.sampled_from(
    ["all", "nodes", "masters", "edge", "hdss7-21", "hdss7-2*", "nodes[1:2]", "~hdss.*", "proxy_only"]
)


@given(st.lists(st.tuples(st.sampled_from(["", "&", "!"]), PARTS), min_size=1, max_size=6))
def test_a_pattern_is_union_then_intersection_then_exclusion(parts: list[tuple[str, str]]) -> None:
    def hosts(sign: str) -> list[set[str]]:
        return [set(select(part, HOSTS, GROUPS)) for mark, part in parts if mark == sign]

    expected = set().union(*hosts("")) if hosts("") else set(HOSTS)
    for keep in hosts("&"):
        expected &= keep
    for leave in hosts("!"):
        expected -= leave
    for joint in ":,":
        found = select(joint.join(mark + part for mark, part in parts), HOSTS, GROUPS)
        assert set(found) == expected
        assert len(found) == len(expected)


@given(st.text(max_size=20))
def test_no_text_whatever_is_a_traceback(pattern: str) -> None:
    try:
        assert set(select(pattern, HOSTS, GROUPS)) <= {*HOSTS, *CONTROLLER}
    except InputError:
        return


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hdss7-21", ("hdss7-21",)),
        ("hdss7-[21:24]", ("hdss7-21", "hdss7-22", "hdss7-23", "hdss7-24")),
        ("web[08:11]", ("web08", "web09", "web10", "web11")),
        ("web[1:10:4]", ("web1", "web5", "web9")),
        ("db-[a:c].od.com", ("db-a.od.com", "db-b.od.com", "db-c.od.com")),
        ("r[1:2]-n[a:b]", ("r1-na", "r1-nb", "r2-na", "r2-nb")),
        ("n[:2]", ("n0", "n1", "n2")),
    ],
)
def test_a_range_is_spelled_out(name: str, expected: tuple[str, ...]) -> None:
    assert expand(name) == expected


@pytest.mark.parametrize(
    "name", ["h[1:", "h1:2]", "h[1]", "h[a:9]", "h[9:1]", "h[01:100]", "h[1:4:0]", "h[]", "h[1:2:3:4]"]
)
def test_a_range_that_cannot_be_meant_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(InputError, match=r"hosts\.yml:3"):
        expand(name, "hosts.yml:3")


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 9))
def test_a_range_of_numbers_holds_both_ends_and_every_step(first: int, size: int, step: int) -> None:
    names = expand(f"n[{first}:{first + size}:{step}]x")
    assert [int(name[1:-1]) for name in names] == list(range(first, first + size + 1, step))


def test_a_play_may_speak_of_a_group_that_the_site_does_not_have() -> None:
    hosts, groups = ("a1", "b1"), {"all": ("a1", "b1"), "nodes": ("a1",)}
    assert members("all:!ops", hosts, groups) == ("a1", "b1")
    assert members("dns", hosts, groups) == ()
    with pytest.raises(InputError, match="nodes"):
        members("nodse", hosts, groups)
    assert members("localhost", hosts, groups) == ("localhost",)
    assert members("all:!localhost", hosts, groups) == hosts
