"""etcd, where the API servers keep every object: membership of its cluster, care for its quorum, snapshots of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, function, quote
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.commands import Command
from provision.resources.optional.prunable import Prunable
from provision.resources.optional.reversible import Reversible, Rollback
from provision.spelling import listed

SCRIPTS = Scripts(__file__)
JOIN_SECONDS = 150.0
VOTE_SECONDS = 120
ROOM_SECONDS = 600.0
SNAPSHOTS = "/var/backups/etcd"  # on a host: those that are taken before a change
KEPT_SNAPSHOTS = 10


@dataclass(frozen=True)
class Member:
    """One member of etcd, as it is declared: its name, and its URLs for peers and for clients."""

    name: str
    peer: str
    client: str


@dataclass(frozen=True, kw_only=True)
class EtcdMember(Reversible, Resource):
    """This host is a member: it begins the cluster with the others, or joins the one that they have.

        EtcdMember(me=members[0], others=members[1:], data="/data/etcd/etcd-server", certificates="/opt/etcd/certs",
                   first_start="/opt/etcd/first-start.env", learner="/opt/etcd/learner", local="http://127.0.0.1:2381")

    first_start: the file with what the member reads when it starts without data. learner: exists while it may not vote
    (see `vote`). local: where it answers /health without a certificate.
    """

    me: Member
    others: tuple[Member, ...]
    data: str
    certificates: str
    first_start: str
    learner: str
    local: str

    @property
    def key(self) -> str:
        return f"EtcdMember {self.me.name}"

    @property
    def clients(self) -> tuple[str, ...]:
        """The others' URLs for clients."""
        return tuple(other.client for other in self.others)

    @property
    def look(self) -> ShellQuestion:
        """How this host stands to the cluster: sh/etcd_look.sh."""
        where = {"DATA": self.data, "LOCAL": self.local, "FIRST": self.first_start}
        return ShellQuestion(_asking("etcd_look", *self.clients, CERT=self.certificates, **where))

    def questions(self) -> tuple[Question, ...]:
        return (self.look,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        answer: ShellAnswer = answers[self.look]
        first, told, others, *_ = [*answer.output.split("\n", 2), "", "", ""]
        known = listed_members(others)
        if "data" in first:
            if known and not self._mine(known):
                return Change(Action.CREATE, "join the members again: this one was removed; its data is put aside")
            return None
        if not known and told:
            return None
        if not known:
            return Change(Action.CREATE, "become a member: join the others, or begin a cluster with them")
        mine = self._mine(known)
        if mine and mine.get("clientURLs"):
            return Change(Action.CREATE, "replace this member, whose data is gone: removed, then added anew")
        if mine and _urls(told) == {url for each in known for url in _texts(each.get("peerURLs"))}:
            return None  # it has but to start
        if mine:
            return Change(Action.CREATE, "go on becoming a member")
        names = ", ".join(sorted(name for each in known if (name := str(each.get("name", "")))))
        return Change(Action.CREATE, f"join {names}: as a learner first, with a vote once it has all data")

    def _mine(self, known: Sequence[Mapping[str, object]]) -> Mapping[str, object] | None:
        return next((each for each in known if self.me.peer in _texts(each.get("peerURLs"))), None)

    @property
    def digest(self) -> str:
        """The same whoever the others are: a member that runs need not restart when there is one more."""
        return hashlib.sha256(repr((self.me, self.data)).encode()).hexdigest()

    def fix(self, change: Change) -> Step:
        script = _asking(
            "etcd_join",
            *self.clients,
            NAME=self.me.name,
            URL=self.me.peer,
            CLUSTER=initial_cluster((self.me, *self.others)),
            DATA=self.data,
            CERT=self.certificates,
            FIRST=self.first_start,
            LEARNER=self.learner,
        )
        before = _snapshot_function(f"before-{self.me.name}", self.clients, self.certificates)
        return Step(before + script, timeout=JOIN_SECONDS)

    @property
    def rollback_summary(self) -> str:
        return "stays a member"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback(why=f"{self.key}: whoever joined stays a member")


@dataclass(frozen=True, kw_only=True)
class EtcdRoom(Reversible, Resource):
    """Room in etcd's databases once they have run full: nobody can write until somebody makes some.

    quota: bytes that each database may have.
    """

    member: EtcdMember
    quota: int

    @property
    def key(self) -> str:
        return "EtcdRoom etcd"

    def questions(self) -> tuple[Question, ...]:
        return (self.member.look,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        answer: ShellAnswer = answers[self.member.look]
        if "full" not in answer.output.partition("\n")[0]:
            return None
        return Change(Action.RUN, "the alarm NOSPACE is raised: compact, defragment member by member, disarm")

    def fix(self, change: Change) -> Step:
        urls = (each.client for each in (*self.member.others, self.member.me))
        script = _asking("etcd_room", *urls, CERT=self.member.certificates, QUOTA=str(self.quota))
        return Step(script, timeout=ROOM_SECONDS)

    @property
    def rollback_summary(self) -> str:
        return "the room stays"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback()


@dataclass(frozen=True, kw_only=True)
class UndeclaredMembers(Prunable):
    """Members of etcd that no host of the group is any more: listed by every plan, removed by --prune, one by one."""

    member: EtcdMember

    @property
    def key(self) -> str:
        return "UndeclaredMembers etcd"

    @property
    def _listed(self) -> ShellQuestion:
        return ShellQuestion(_asking("etcd_listed", URL=self.member.me.client, CERT=self.member.certificates))

    def questions(self) -> tuple[Question, ...]:
        return (self._listed,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        answer: ShellAnswer = answers[self._listed]
        declared = {each.peer for each in (self.member.me, *self.member.others)}
        gone = {
            url: str(each.get("name", "")) or "one that never started"
            for each in listed_members(answer.output)
            if not declared & set(_texts(each.get("peerURLs")))
            for url in _texts(each.get("peerURLs"))[:1]
        }
        if not gone:
            return None
        names = listed([f"{name} ({url})" for url, name in gone.items()])
        return Change(Action.REMOVE, f"remove {names}: no host of group etcd", parts=frozenset(gone))

    def fix(self, change: Change) -> Step:
        url, certificates = self.member.me.client, self.member.certificates
        before = _snapshot_function("before-members-leave", (url,), certificates)
        script = _asking("etcd_remove", *sorted(change.parts), URL=url, CERT=certificates)
        return Step(before + script, timeout=120 + 75 * len(change.parts))


def vote(member: EtcdMember) -> Command:
    """Gives a member that joined its vote, once it has all data."""
    script = _asking(
        "etcd_vote",
        *member.clients,
        URL=member.me.peer,
        CERT=member.certificates,
        LEARNER=member.learner,
        FIRST=member.first_start,
        TIMEOUT=str(VOTE_SECONDS),
    )
    voting = f"test ! -e {quote(member.learner)}"
    return Command(
        name="let etcd's member vote", run=script, unless=voting, on_change=(member,), timeout=VOTE_SECONDS + 30
    )


def may_stop(member: EtcdMember) -> str:
    """sh that fails, with the reason, where the cluster would lose its quorum without this member."""
    return _asking("etcd_quorum", *member.clients, CERT=member.certificates, LOCAL=member.local)


def snapshot(file: str, members: Sequence[str], certificates: str, pair: str = "client") -> str:
    """sh that saves a snapshot to `file` (0600, below a folder 0700), from the first member that gives one.

    members: URLs. certificates: the folder with ca.pem and a client's <pair>.pem and <pair>-key.pem. Needs etcdctl.
    """
    return SCRIPTS.call("etcd_snapshot", *members, FILE=file, CERT=certificates, PAIR=pair, KEPT=str(KEPT_SNAPSHOTS))


def initial_cluster(members: Iterable[Member]) -> str:
    """The members as --initial-cluster wants them: NAME=URL,…, in the order of their names."""
    return ",".join(sorted(f"{member.name}={member.peer}" for member in members))


def _asking(name: str, *arguments: str, **variables: str) -> str:
    """sh/NAME.sh with the functions of etcd_ask.sh before it."""
    return SCRIPTS.text("etcd_ask") + SCRIPTS.call(name, *arguments, **variables)


def _snapshot_function(name: str, members: Sequence[str], certificates: str) -> str:
    """sh that defines `snapshot`, by a member's own pair: what is done before the members change."""
    return function("snapshot", snapshot(f"{SNAPSHOTS}/{name}.db", members, certificates, "etcd-peer"))


def listed_members(answer: str) -> tuple[Mapping[str, object], ...]:
    """The members in an answer of /v3/cluster/member/list; () where it is none."""
    try:
        found = json.loads(answer).get("members", ())
    except (ValueError, AttributeError):
        return ()
    return tuple(each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def _urls(told: str) -> set[str]:
    """The peers in NAME=URL,…"""
    return {pair.partition("=")[2] for pair in told.split(",") if pair}


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
