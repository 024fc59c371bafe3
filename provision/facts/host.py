"""What the engine asks of every host: files, stamps, packages, units, programs, kernel parameters, and shell."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from provision.facts.question import STAMPS, Question
from provision.remote.shell import Scripts, words

SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class FileState:
    """What stands at a path. `kind` is find's %y: f file, d directory, l link, '' nothing.

    `identity` (size, mtime, ctime, inode) changes with every write; `sha256` follows links and is '' unless it was
    asked for.
    """

    kind: str = ""
    mode: str = ""
    owner: str = ""
    group: str = ""
    identity: str = ""
    target: str = ""
    sha256: str = ""

    @property
    def exists(self) -> bool:
        """Whether anything stands there."""
        return self.kind != ""


@dataclass(frozen=True)
class FileQuestion(Question):
    """What stands at a path; with `content` its SHA-256 too (sha256sum does about 230 MB/s: small files only)."""

    path: str
    content: bool = True

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        every = words(dict.fromkeys(q.path for q in questions))
        hashed = words(dict.fromkeys(q.path for q in questions if q.content))
        lines = [f"find {every} -maxdepth 0 -printf '%y\\t%m\\t%u\\t%g\\t%s %T@ %C@ %i\\t%l\\t%p\\n' 2>/dev/null"]
        if hashed:
            lines.append(f"sha256sum -- {hashed} 2>/dev/null")
        return "\n".join(lines)

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, FileState]:
        states: dict[str, FileState] = {}
        sums: dict[str, str] = {}
        for line in output.splitlines():
            if line.count("\t") == 6:
                kind, mode, owner, group, identity, target, path = line.split("\t")
                states[path] = FileState(kind, mode, owner, group, identity, target)
            elif "  " in line:
                digest, _, path = line.partition("  ")
                sums[path] = digest
        return {q: replace(states.get(q.path, FileState()), sha256=sums.get(q.path, "")) for q in questions}

    def seen(self, answer: FileState) -> str:
        content = answer.sha256 or (answer.identity if answer.kind == "f" else "")
        return f"{answer.kind} {answer.mode} {answer.owner} {answer.group} {answer.target} {content}"


@dataclass(frozen=True)
class ContentQuestion(Question):
    """The text of a file, at most `limit` bytes: asked only of a file that is known to differ."""

    path: str
    limit: int = 65_536

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        asked = (word for q in questions for word in (str(q.limit), q.path))
        return SCRIPTS.call("contents", *asked, MARK=_mark(questions))

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, str]:
        return {q: text for q, (_, text) in zip(questions, _printed(questions, output), strict=True)}


@dataclass(frozen=True)
class StampQuestion(Question):
    """A line that an earlier run left on the host under `name`; '' when there is none."""

    name: str

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return f"cd {STAMPS} 2>/dev/null && grep -H '' {words(q.name for q in questions)} 2>/dev/null"

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, str]:
        found = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
        return {q: found.get(q.name, "") for q in questions}

    def seen(self, answer: str) -> str:
        return answer


@dataclass(frozen=True)
class PackageQuestion(Question):
    """The installed version of a Debian package; '' when it is not installed."""

    name: str

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        names = words(q.name for q in questions)
        return f"dpkg-query -W -f '${{Package}}\\t${{db:Status-Status}}\\t${{Version}}\\n' {names} 2>/dev/null"

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, str]:
        rows = (line.split("\t") for line in output.splitlines() if line.count("\t") == 2)
        installed = {name: version for name, status, version in rows if status == "installed"}
        return {q: installed.get(q.name, "") for q in questions}

    def seen(self, answer: str) -> str:
        return answer


@dataclass(frozen=True)
class UnitState:
    """A systemd unit: `load` loaded|not-found|masked, `active` active|failed|…, `enabled` enabled|disabled|static|…"""

    load: str
    active: str
    enabled: str


@dataclass(frozen=True)
class UnitQuestion(Question):
    """The state of a systemd unit."""

    name: str

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        properties = "LoadState,ActiveState,UnitFileState"
        return f"systemctl show --property={properties} -- {words(q.name for q in questions)}"

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, UnitState]:
        blocks = [
            dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            for block in output.strip().split("\n\n")
        ]
        return {
            q: UnitState(block.get("LoadState", ""), block.get("ActiveState", ""), block.get("UnitFileState", ""))
            for q, block in zip(questions, blocks, strict=True)
        }

    def seen(self, answer: UnitState) -> str:
        return f"{answer.load} {answer.enabled}"


@dataclass(frozen=True)
class ProgramQuestion(Question):
    """The process ids that supervisord runs under a program's name; () when none.

    supervisorctl is a Python program of about 200 ms; /proc says it in one grep, because supervisord puts each
    child's name into its environment (SUPERVISOR_PROCESS_NAME, supervisord.org/subprocess.html).
    """

    name: str
    pidfile: ClassVar[str] = "/run/supervisord.pid"

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return SCRIPTS.call("programs", cls.pidfile)

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, tuple[int, ...]]:
        running: dict[str, list[int]] = {}
        for line in filter(None, output.split("\0")):
            path, _, name = line.partition(":SUPERVISOR_PROCESS_NAME=")
            running.setdefault(name, []).append(int(path.split("/")[2]))
        return {q: tuple(running.get(q.name, ())) for q in questions}


@dataclass(frozen=True)
class ReplacedBinaryQuestion(Question):
    """Whether a process still runs a binary that another file has taken the place of, as a package's upgrade does.

    pidfile: names the one process that counts, where others may end slowly; '': any.
    """

    path: str
    pidfile: str = ""

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return SCRIPTS.call("binaries", *(word for q in questions for word in (q.path, q.pidfile)))

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, bool]:
        replaced = {line.removesuffix(" (deleted)") for line in output.splitlines()}
        return {q: f"{q.pidfile}\t{q.path}" in replaced for q in questions}


@dataclass(frozen=True)
class SysctlQuestion(Question):
    """The live value of a kernel parameter, columns joined by one space; '' when the kernel has none of that name."""

    key: str

    @property
    def path(self) -> str:
        """Where the kernel shows it."""
        return "/proc/sys/" + self.key.replace(".", "/")

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return f"grep -H '' {words(q.path for q in questions)} 2>/dev/null"

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, str]:
        found = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
        return {q: " ".join(found.get(q.path, "").split()) for q in questions}

    def seen(self, answer: str) -> str:
        return answer


@dataclass(frozen=True)
class ShellAnswer:
    """What a shell question came to."""

    code: int
    output: str


@dataclass(frozen=True)
class ShellQuestion(Question):
    """Anything else: a fragment of sh, its exit code and what it printed."""

    fragment: str

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        mark = _mark(questions)
        return "".join(f"(\n{q.fragment}\n)\nprintf '\\n%s %s\\n' {mark} $?\n" for q in questions)

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, ShellAnswer]:
        return {
            q: ShellAnswer(code, text.replace("\0", "").rstrip("\n"))
            for q, (code, text) in zip(questions, _printed(questions, output), strict=True)
        }


def _mark(questions: Sequence[Question]) -> str:
    """A word that no answer to these questions contains. It costs no process on the host, as an encoding would."""
    return hashlib.sha256(repr([*questions]).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _printed(questions: Sequence[Question], output: str) -> Iterator[tuple[int, str]]:
    """The exit code and the text of each answer, which ends with a line of the mark and the code.

    Raises ValueError when the output was cut short.
    """
    mark = _mark(questions)
    for _ in questions:
        text, separator, output = output.partition(f"\n{mark} ")
        if not separator:
            raise ValueError("the host's answer ended early")
        code, _, output = output.partition("\n")
        yield int(code), text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
