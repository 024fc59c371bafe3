"""Files that one program reads together: staged, validated by that program, swapped as one, confirmed, or put back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from provision.errors import InputError
from provision.facts.host import ContentQuestion, FileQuestion, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Rendering, Unknown
from provision.resources.configset.activation import Activation, LoadBalancer
from provision.resources.configset.comparison import difference, may_be_shown, set_digest
from provision.resources.configset.drain import NEW, Drainer, drained_question, read_drained, record_drained
from provision.resources.configset.marks import marked_hosts, marked_lines
from provision.resources.configset.snapshot import read_snapshot, snapshot_script
from provision.resources.configset.swap import Swap
from provision.resources.content import Content, Pending, Template
from provision.resources.optional.confirmable import Confirmable
from provision.resources.optional.dependent import stamp_question
from provision.resources.optional.explainable import Explainable, unified
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.optional.sensitive import Sensitive
from provision.resources.systemd import Service
from provision.resources.validation import check_path
from provision.secret import Redactor, Secret
from provision.spelling import listed

_NAME = re.compile(r"[\w.@+-]+", re.ASCII)  # names go through lists of sh, with blanks between


@dataclass(frozen=True, kw_only=True)
class ConfigSet(Drainer, Reversible, Explainable, Sensitive, Confirmable):
    """Everything of ours below `directory` that one program reads, its main file included.

        ConfigSet(directory="/etc/nginx", files={"nginx.conf": Template(…)}, activation=Nginx())

    On the host the set lives in `directory`/releases/ID behind the link `directory`/site, so one rename swaps it;
    each known path (`conf.d/od.com.conf`) is a link through `site`. What an editor or `sed -i` makes of such a path is
    drift like any other; a host that a run has drained is not (`drained`: host and run, set by rolling updates alone).

    confirm: seconds after which the host itself puts the previous set back and activates it, unless the controller has
    confirmed the new one over a new connection by then. 0: it stays. For what can cut the controller off.
    """

    directory: str
    files: Mapping[str, Content] = field(hash=False)
    activation: Activation
    confirm: float = 0.0
    drained: tuple[tuple[str, str], ...] = ()
    secret_fields: ClassVar[frozenset[str]] = frozenset({"files"})
    reverts_to_declaration: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_path("ConfigSet", self.directory)
        for name in self.files:
            parts = name.split("/")
            if not all(map(_NAME.fullmatch, parts)) or ".." in parts or parts[0] in ("site", "releases"):
                raise InputError(
                    f"ConfigSet {self.directory}: {name!r} is not a path below it",
                    do="Name files relative to the directory, with letters, digits and . _ @ + -, and none of them "
                    "below site/ or releases/",
                )

    @property
    def key(self) -> str:
        return f"ConfigSet {self.directory}"

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(f"{self.directory}/{name}" for name in self.files)

    @property
    def stamp(self) -> str:
        return f"set{self.directory.replace('/', '-')}"

    def rendered(self, rendering: Rendering) -> ConfigSet:
        files = {name: _bytes(content, rendering) for name, content in self.files.items()}
        if not isinstance(self.activation, LoadBalancer) and any(map(marked_hosts, files.values())):
            raise InputError(
                f"{self.key}: its program cannot drain a host, and a file has a mark for it",
                do="Take drain(…) out of the template",
            )
        return replace(self, files=files)

    def protected(self, redactor: Redactor) -> Self:
        for name, content in self.files.items():
            if isinstance(content, bytes) and redactor.finds(content):
                raise _readable(f"{self.key}: {name}")
        return self

    @property
    def _rendered_files(self) -> dict[str, bytes]:
        return {name: content for name, content in self.files.items() if isinstance(content, bytes)}

    @property
    def _contents(self) -> dict[str, bytes]:
        """The files as the program reads them, with `drained` left out."""
        program, drained = self.activation, dict(self.drained)
        if not isinstance(program, LoadBalancer):
            return self._rendered_files
        return {name: program.with_drained(content, drained) for name, content in self._rendered_files.items()}

    @property
    def digest(self) -> str:
        return set_digest(self._contents)

    def questions(self) -> tuple[Question, ...]:
        return (
            *(self._known(name) for name in self.files),
            *(self._released(name) for name in self.files),
            stamp_question(self.stamp),
            drained_question(),
            *self._live.values(),
            *self._older,
            *self._handover,
        )

    @property
    def _older(self) -> tuple[ShellQuestion, ...]:
        """Asks how many processes of older configurations still serve."""
        script = self.activation.older()
        return (ShellQuestion(script),) if script else ()

    @property
    def _handover(self) -> tuple[ShellQuestion, ...]:
        """Asks what it costs that another program goes first."""
        script = self.activation.handover()
        return (ShellQuestion(script),) if script else ()

    @property
    def _live(self) -> dict[str, ContentQuestion]:
        """Asks for the files, by name, that may send to a host: a set before this one had it in another file."""
        if not isinstance(self.activation, LoadBalancer) or not self.drainable:
            return {}
        return {name: ContentQuestion(f"{self.directory}/{name}") for name in self._rendered_files}

    def _new(self, answers: Answers) -> frozenset[str]:
        """The hosts that the set on the host does not send to yet; none where it sends to nobody who stays."""
        program, new = self.activation, set[str]()
        if not isinstance(program, LoadBalancer):
            return frozenset()
        live = frozenset[bytes]().union(*(program.servers(answers[asked].encode()) for asked in self._live.values()))
        for content in self._rendered_files.values():
            new |= {host for line, host in marked_lines(content).items() if not program.servers(line) <= live}
        return frozenset(new) if new < self.drainable else frozenset()

    def _known(self, name: str) -> FileQuestion:
        """Asks for what the program reads."""
        return FileQuestion(f"{self.directory}/{name}")

    def _released(self, name: str) -> FileQuestion:
        """Asks for the file itself, behind the link."""
        return FileQuestion(f"{self.directory}/site/{name}", content=False)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        drained = self.drained_now(answers)
        new = self._new(answers) - set(drained)
        change = self._with_drained({**drained, **dict.fromkeys(new, NEW)})._compare(answers)
        if change is None:
            return None
        notes = [f"{listed(sorted(new))} gets no request before it answers"] if new else []
        for question in self._older:
            count = answers[question].output.strip()
            notes += [f"older configurations still serve, processes: {count}"] if count not in ("", "0") else []
        notes += [answers[question].output.strip() for question in self._handover]
        return replace(change, summary="; ".join(filter(None, (change.summary, *notes))))

    def _compare(self, answers: Answers) -> Change | None:
        found = {
            name: difference(name, content, answers[self._known(name)], answers[self._released(name)])
            for name, content in self._contents.items()
        }
        if differs := {name: what for name, what in found.items() if what}:
            summary = f"{self.directory}: {', '.join(differs.values())}; then reload"
            return Change(Action.UPDATE, summary, parts=frozenset(differs), drained=self.drained)
        if answers[stamp_question(self.stamp)] != self.digest:
            summary = f"{self.directory}: reload, it runs with an older configuration"
            return Change(Action.RESTART, summary, drained=self.drained)
        if any(answers[question].output.strip() for question in self._handover):
            return Change(Action.RESTART, f"{self.directory}: begin to run with it", drained=self.drained)
        return None

    def evidence(self, change: Change) -> tuple[Question, ...]:
        return tuple(ContentQuestion(f"{self.directory}/{name}") for name in sorted(change.parts))

    def explain(self, change: Change, answers: Answers) -> Change:
        diffs = []
        for name in sorted(change.parts):
            path = f"{self.directory}/{name}"
            wanted = self._with_drained(dict(change.drained))._contents[name]
            if not may_be_shown(answers[self._known(name)], answers[self._released(name)]):
                diffs.append(f"({path} is not world-readable on the host: content not shown)")
                continue
            diffs.append(unified(answers[ContentQuestion(path)], wanted.decode(), path))
        return replace(change, diff="\n".join(filter(None, diffs)))

    @property
    def contents(self) -> tuple[bytes, ...]:
        return tuple(self._contents.values())

    @property
    def rollback_summary(self) -> str:
        return "the set before it, as one"

    def snapshot_script(self, change: Change) -> str:
        return snapshot_script(self.directory, self.files, self.activation.replaces)

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        before, program = read_snapshot(snapshot), self.activation
        if before.serving:  # its own set is as it was; this one's files stay, unread
            other = Service(name=before.serving)
            return Rollback((Service(name=program.service, running=False, enabled=False), other))
        if before.missing:
            return Rollback(why=f"{self.key}: {before.missing}")
        files: dict[str, Content] = {
            name: self._with_marks(name, content)
            for name, content in before.files.items()
            if not self.activation.completes(name)
        }
        if not files:
            return Rollback(why=f"{self.key}: there was no set before it")
        return Rollback((replace(self, files=files, drained=()),))

    def _with_marks(self, name: str, content: bytes) -> bytes:
        """A file that the program has read, with its marks put back."""
        declared, program = self._rendered_files.get(name, b""), self.activation
        return program.with_marks(content, declared) if isinstance(program, LoadBalancer) else content

    @property
    def drainable(self) -> frozenset[str]:
        if not isinstance(self.activation, LoadBalancer):
            return frozenset()
        return frozenset().union(*map(marked_hosts, self._rendered_files.values()))

    @property
    def error_log(self) -> str:
        return self.activation.error_log if isinstance(self.activation, LoadBalancer) else ""

    def drained_now(self, answers: Answers) -> Mapping[str, str]:
        return read_drained(answers)

    def set_drained(self, drained: Mapping[str, str]) -> Step:
        return replace(self._with_drained(drained), confirm=0.0)._swap_step()

    def count_connections(self, address: str, port: int) -> str:
        program = self.activation
        script = program.count_connections(address, port) if isinstance(program, LoadBalancer) else ""
        return script or super().count_connections(address, port)

    def _with_drained(self, drained: Mapping[str, str]) -> ConfigSet:
        """The set as it reads while these hosts are drained."""
        return replace(self, drained=tuple(sorted(drained.items())))

    def fix(self, change: Change) -> Step:
        return self._with_drained(dict(change.drained))._swap_step()

    def confirm_step(self, change: Change) -> Step | None:
        if not self.confirm:
            return None
        return self._swap.confirm_step(self._with_drained(dict(change.drained)).digest)

    @property
    def _swap(self) -> Swap:
        return Swap(self.directory, self.stamp, self.activation, self.confirm)

    def _swap_step(self) -> Step:
        """The step that makes this the set in use, and records what it drains once it runs."""
        record = record_drained(self.drained) if isinstance(self.activation, LoadBalancer) else ""
        return self._swap.step(self._contents, self.digest, record)


def _readable(what: str) -> InputError:
    return InputError(
        f"{what} holds a secret, and everybody on the host may read a set's files",
        do="Include a File that it is written into; if it is no secret, keep it out of the vault",
    )


def _bytes(content: Content, rendering: Rendering) -> bytes:
    if isinstance(content, Template):
        content = rendering.template(content)
    if isinstance(content, Secret):
        raise _readable("a file of a ConfigSet")
    if isinstance(content, bytes):
        return content
    if isinstance(content, Pending):
        raise InputError(f"a ConfigSet can't hold content that comes after: {content.until}")
    return content.encode() if isinstance(content, str) else content.read_bytes()
