"""What a host's member of etcd is to become, by what the others say of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provision.facts.host import ShellAnswer
from provision.resources.base import Action, Change
from provision.resources.kubernetes.etcd import EtcdMember, Member, UndeclaredMembers, listed_members, vote
from provision.resources.optional.prunable import Prunable
from tests.unit.machine import Machine

MEMBERS = [Member(f"etcd-server-7-{n}", f"https://10.4.7.{n}:2380", f"https://10.4.7.{n}:2379") for n in (21, 11, 22)]
MEMBER = EtcdMember(
    me=MEMBERS[0],
    others=tuple(MEMBERS[1:]),
    data="/data/etcd",
    certificates="/opt/etcd/certs",
    first_start="/opt/etcd/first-start.env",
    learner="/opt/etcd/learner",
    local="http://127.0.0.1:2381",
)
TOLD = ",".join(f"{each.name}={each.peer}" for each in MEMBERS)


def listed(*members: Member, started: bool = True) -> str:
    found = [
        {"ID": str(n), "name": each.name, "peerURLs": [each.peer], "clientURLs": [each.client] if started else []}
        for n, each in enumerate(members)
    ]
    return json.dumps({"header": {}, "members": found})


def compared(output: str) -> Any:
    (question,) = MEMBER.questions()
    return MEMBER.compare({question: ShellAnswer(0, output)}, ())


@pytest.mark.parametrize(
    "output",
    [
        "data runs\n",
        "data \n\n",
        "data \n\n" + listed(*MEMBERS),
        f" \n{TOLD}\n",
        f" \n{TOLD}\n" + listed(*MEMBERS, started=False),
    ],
    ids=["it runs", "it is down, like the others", "it is down", "told to begin", "told to join"],
)
def test_a_member_that_runs_or_has_but_to_start_has_nothing_to_become(output: str) -> None:
    assert compared(output) is None


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (" \n\n", "become a member: join the others, or begin a cluster"),
        (" \n\n" + listed(*MEMBERS[1:]), "join etcd-server-7-11, etcd-server-7-22: as a learner first"),
        (" \n\n" + listed(*MEMBERS), "replace this member, whose data is gone"),
        (" runs\n\n" + listed(*MEMBERS), "replace this member, whose data is gone"),
        (" \n\n" + listed(*MEMBERS, started=False), "go on becoming a member"),
        (f" \n{TOLD},d=https://10.4.7.12:2380\n" + listed(*MEMBERS, started=False), "go on becoming a member"),
        (f" \n{TOLD}\n" + listed(*MEMBERS), "replace this member, whose data is gone"),
        ("data \n\n" + listed(*MEMBERS[1:]), "join the members again: this one was removed; its data is put aside"),
    ],
    ids=[
        "nobody answers",
        "unknown",
        "disk lost",
        "folder deleted",
        "added, never started",
        "told of others",
        "lost after its start",
        "removed",
    ],
)
def test_a_host_becomes_a_member(output: str, said: str) -> None:
    change = compared(output)
    assert isinstance(change, Change)
    assert change.summary.startswith(said)


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", '{"members": 3}', '{"members": ["x"]}', "null"])
def test_what_is_no_list_of_members_is_none(answer: str) -> None:
    assert listed_members(answer) == ()


def test_members_that_no_host_is_are_listed_and_removed_by_prune_alone() -> None:
    gone = Member("etcd-server-7-23", "https://10.4.7.23:2380", "https://10.4.7.23:2379")
    resource = UndeclaredMembers(member=MEMBER)
    (question,) = resource.questions()
    assert resource.compare({question: ShellAnswer(0, listed(*MEMBERS))}, ()) is None
    assert resource.compare({question: ShellAnswer(0, "")}, ()) is None
    change = resource.compare({question: ShellAnswer(0, listed(*MEMBERS, gone))}, ())
    assert isinstance(change, Change)
    assert change.summary == "remove etcd-server-7-23 (https://10.4.7.23:2380): no host of group etcd"
    assert change.parts == {gone.peer}
    assert isinstance(resource, Prunable)


def test_the_only_member_has_its_vote_and_that_is_recorded(tmp_path: Path) -> None:
    alone = replace(MEMBER, others=(), learner=str(tmp_path / "learner"), first_start=str(tmp_path / "first"))
    (tmp_path / "first").touch()
    machine, command = Machine(tmp_path), vote(alone)
    done = machine.run(command.fix(Change(Action.RUN, "")))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "first").exists()
    assert command.compare(machine.answers(command.questions()), ()) is None
