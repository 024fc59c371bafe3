"""Files that one program reads together: staged, judged by that program, swapped as one, confirmed, or put back."""

from __future__ import annotations

import hashlib
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from provision.errors import InputError
from provision.facts.host import ContentQuestion, FileQuestion, FileState
from provision.facts.question import STAMPS, Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import (
    Action,
    Change,
    Content,
    Pending,
    Rendering,
    Resource,
    Rollback,
    Template,
    Unknown,
    check_path,
    clear_stamp,
    stamp_question,
    unified,
    world_readable,
    write_stamp,
)
from provision.resources.configset import drain, swap
from provision.secret import Redactor, Secret


class Activation(ABC):
    """How a program takes a new configuration in. Each returns sh; a failing line ends with a non-zero code."""

    def complete(self, new: str, now: str) -> str:
        """Add to the set at `new`, whose folder is named as the release, what only the host can know.

        `now` is the set in use, if there is one.
        """
        return ":"

    def completes(self, name: str) -> bool:
        """Whether this file of the set is one that `complete` adds."""
        return False

    @abstractmethod
    def validate(self, staged: str) -> str:
        """Judge the whole tree staged at `$staged` (a shell word); prints what is wrong on stderr."""

    @abstractmethod
    def activate(self) -> str:
        """Make the program read the tree, and confirm that the new configuration is the one that runs."""


@dataclass(frozen=True, kw_only=True)
class ConfigSet(Resource):
    """Everything of ours below `directory` that one program reads, its main file included.

        ConfigSet(directory="/etc/nginx", files={"nginx.conf": Template(…)}, activation=Nginx())

    On the host the set lives in `directory`/releases/ID behind the link `directory`/site, so one rename swaps it;
    each known path (`conf.d/od.com.conf`) is a link through `site`. What an editor or `sed -i` makes of such a path is
    drift like any other; a host that a run has drained is not (`drained`: host and run, set by the roll alone).

    confirm: seconds after which the host itself puts the set before back and activates it, unless the controller has
    reached the host anew by then and said that the set is kept. 0: it stays. For what can cut the controller off.
    """

    directory: str
    files: Mapping[str, Content] = field(hash=False)
    activation: Activation
    confirm: float = 0.0
    drained: tuple[tuple[str, str], ...] = ()
    closed: ClassVar[frozenset[str]] = frozenset({"files"})
    as_before: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_path("ConfigSet", self.directory)
        for name in self.files:
            if name.startswith("/") or ".." in name.split("/") or name.split("/")[0] in ("site", "releases"):
                raise InputError(
                    f"ConfigSet {self.directory}: {name!r} is not a path below it",
                    do="Name files relative to the directory, none of them below site/ or releases/",
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
        return replace(self, files={name: _bytes(content, rendering) for name, content in self.files.items()})

    def redacting(self, redactor: Redactor) -> ConfigSet:
        super().redacting(redactor)
        for name, content in self.files.items():
            if isinstance(content, bytes) and redactor.finds(content):
                raise _readable(f"{self.key}: {name}")
        return self

    @property
    def _contents(self) -> dict[str, bytes]:
        out = dict(self.drained)
        return {name: drain.resolved(data, out) for name, data in self.files.items() if isinstance(data, bytes)}

    @property
    def drainable(self) -> frozenset[str]:
        """The hosts that this set can leave out."""
        return frozenset().union(*(drain.hosts(data) for data in self.files.values() if isinstance(data, bytes)))

    @property
    def digest(self) -> str:
        sums = [f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in sorted(self._contents.items())]
        return hashlib.sha256("\n".join(sums).encode()).hexdigest()[:32]

    def questions(self) -> tuple[Question, ...]:
        return (
            *(FileQuestion(path) for path in self.paths),
            *(FileQuestion(self._real(name), content=False) for name in self.files),
            stamp_question(self.stamp),
            stamp_question(drain.STAMP),
        )

    def _real(self, name: str) -> str:
        """The file itself, behind the link."""
        return f"{self.directory}/site/{name}"

    def as_drained(self, answers: Answers) -> ConfigSet:
        """The set as it should read now, with whom a roll has taken out still out."""
        return replace(self, drained=tuple(sorted(drain.drained(answers).items())))

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        return self.as_drained(answers)._compare(answers)

    def _compare(self, answers: Answers) -> Change | None:
        differs = {}
        for name, content in self._contents.items():
            state: FileState = answers[FileQuestion(f"{self.directory}/{name}")]
            if not state.sha256:
                differs[name] = f"create {name}"
            elif state.sha256 != hashlib.sha256(content).hexdigest():
                differs[name] = f"{name}: content"
            elif state.kind != "l":
                differs[name] = f"{name}: a file instead of the link into the set"
            elif wrong := _attributes(answers[FileQuestion(self._real(name), content=False)]):
                differs[name] = f"{name}: {wrong}"
        if differs:
            summary = f"{self.directory}: {', '.join(differs.values())}; then reload"
            return Change(Action.UPDATE, summary, parts=frozenset(differs), drained=self.drained)
        if answers[stamp_question(self.stamp)] != self.digest:
            summary = f"{self.directory}: reload, it runs with an older configuration"
            return Change(Action.RESTART, summary, drained=self.drained)
        return None

    def evidence(self, change: Change) -> tuple[Question, ...]:
        return tuple(ContentQuestion(f"{self.directory}/{name}") for name in sorted(change.parts))

    def explain(self, change: Change, answers: Answers) -> Change:
        diffs = []
        for name in sorted(change.parts):
            path = f"{self.directory}/{name}"
            wanted = replace(self, drained=change.drained)._contents[name]
            if not _open(answers[FileQuestion(path)], answers[FileQuestion(self._real(name), content=False)]):
                diffs.append(f"({path} is not open to everybody on the host: content not shown)")
                continue
            diffs.append(unified(answers[ContentQuestion(path)], wanted.decode(), path))
        return replace(change, diff="\n".join(filter(None, diffs)))

    @property
    def contents(self) -> tuple[bytes, ...]:
        return tuple(self._contents.values())

    @property
    def rollback_summary(self) -> str:
        return "the set before it, as one"

    @property
    def marks(self) -> dict[str, dict[str, str]]:
        """file -> what stands before a drain mark on its line -> the host that the mark is for."""
        return {name: drain.places(data) for name, data in self.files.items() if isinstance(data, bytes)}

    def snapshot_script(self, change: Change) -> str:
        names = " ".join(shlex.quote(name) for name in self.files)
        return f"""cd {shlex.quote(self.directory)} || exit
{{ printf '%s\\n' {names}; (cd site 2>/dev/null && find . -type f | sed 's|^./||'); }} | sort -u | while read -r f; do
  [ -f "$f" ] || continue
  [ -n "$(find -L "$f" -maxdepth 0 -perm -004)" ] || {{ printf -- '-\\t%s\\n' "$f"; continue; }}
  printf '%s\\t%s\\n' "$(wc -c <"$f")" "$f"; cat "$f"
done"""

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        files: dict[str, Content] = {}
        while snapshot:
            head, _, rest = snapshot.partition(b"\n")
            size, _, name = head.decode("utf-8", "surrogateescape").partition("\t")
            if size == "-":
                return Rollback(why=f"{self.key}: {name} was closed to others, and such contents are not kept")
            if len(rest) < int(size):
                return Rollback(why=f"{self.key}: the set before it was bigger than what a host keeps")
            content, snapshot = rest[: int(size)], rest[int(size) :]
            if not self.activation.completes(name):
                files[name] = drain.marked(content, self.marks.get(name, {}))
        if not files:
            return Rollback(why=f"{self.key}: there was no set before it")
        return Rollback((replace(self, files=files, drained=()),))

    def fix(self, change: Change) -> Step:
        return replace(self, drained=change.drained)._swap()

    def draining(self, run: str, out: Iterable[str]) -> Step:
        """The step that leaves exactly these hosts out, for this run, and nothing else different."""
        return replace(self, confirm=0.0, drained=tuple((host, run) for host in sorted(out)))._swap()

    def confirm_step(self, change: Change) -> Step | None:
        if not self.confirm:
            return None
        declared = replace(self, drained=change.drained)
        return Step(swap.kept(self.stamp, self.confirm) + write_stamp(self.stamp, declared.digest), timeout=20)

    def _swap(self) -> Step:
        contents = self._contents
        receive = "".join(
            f'mkdir -p "$new/$(dirname {shlex.quote(name)})"\n'
            f'head -c {len(data)} >"$new/"{shlex.quote(name)} || refuse "the set could not be written"\n'
            for name, data in contents.items()
        )
        names = " ".join(shlex.quote(name) for name in contents)
        activate = self.activation.activate()
        script = swap.SWAP % {
            "directory": shlex.quote(self.directory),
            "names": names,
            "receive": receive,
            "complete": self.activation.complete('"$new"', '"$PWD/site"'),
            "owed": clear_stamp(self.stamp),
            "validate": self.activation.validate("$staged"),
            "functions": swap.functions(activate),
            "settles": f"{STAMPS}/{self.stamp}",
            "watch": swap.watch(self.stamp),
            "arm": swap.armed(self.directory, self.stamp, activate, self.confirm) if self.confirm else "",
            # what still has to be kept is not settled: the next run activates it again, or finds it gone
            "settled": (":" if self.confirm else write_stamp(self.stamp, self.digest)) + "\n" + self._noted(),
            "kept": swap.KEPT_RELEASES + 1,
        }
        return Step(script, b"".join(contents.values()), timeout=120)

    def _noted(self) -> str:
        """sh that says on the host who is out, once the configuration that leaves them out runs."""
        text = drain.note(dict(self.drained))
        return write_stamp(drain.STAMP, f"'{text}'") if text else clear_stamp(drain.STAMP)


def _open(known: FileState, real: FileState) -> bool:
    """Whether everybody on the host may read what is now at a path: only that is shown."""
    state = real if known.kind == "l" else known
    return not known.exists or (state.exists and world_readable(state.mode))


def _readable(what: str) -> InputError:
    return InputError(
        f"{what} holds a secret, and everybody on the host may read a set's files",
        do="Include a File that it is written into; if it is no secret, keep it out of the vault",
    )


def _attributes(state: FileState) -> str:
    """What of mode and owner is not as it was written."""
    pairs = (("mode", state.mode.zfill(4), "0644"), ("owner", f"{state.owner}:{state.group}", "root:root"))
    return ", ".join(f"{what} {was} -> {wanted}" for what, was, wanted in pairs if was != wanted)


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
