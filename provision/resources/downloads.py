"""Big files that a host fetches itself, and container images out of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from provision.facts.host import FileQuestion, FileState, ShellAnswer, ShellQuestion
from provision.facts.question import STAMPS, Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.files import File
from provision.resources.optional.dependent import stamp_question
from provision.resources.optional.removable import Removable
from provision.resources.optional.reversible import PriorEntry, Reversible, Rollback
from provision.resources.validation import check_mode, check_path, check_sha256

SCRIPTS = Scripts(__file__)


def fetch(path: str, url: str, sha256: str, timeout: int) -> str:
    """sh that leaves the checked file at $NEW, a neighbour of `path` that is removed at exit unless it was moved."""
    fetch = SCRIPTS.call("fetch", path, URL=url, SHA256=sha256, TIMEOUT=str(timeout))
    return SCRIPTS.text("atomic") + fetch


def _stamped(stamp: str) -> str:
    """sh that prints from where what is there was fetched."""
    return f"cat {STAMPS}/{stamp} {STAMPS}/{stamp}.url 2>/dev/null"


def _source(printed: bytes) -> tuple[str, str] | None:
    """(SHA-256, URL), None when it is not known."""
    lines = printed.decode("utf-8", "replace").splitlines()
    return (lines[0].split()[0], lines[1]) if len(lines) == 2 and lines[0].strip() else None


@dataclass(frozen=True, kw_only=True)
class Download(Reversible, Removable):
    """A file from a URL, with this SHA-256.

        Download(path="/opt/kubernetes/server/bin/kubelet", url=…, sha256=…, mode="0755")

    A no-op hashes nothing (sha256sum does 230 MB/s, and there are 400 MB of binaries): size, times and inode are
    stamped at installation and compared. Whoever replaces the file changes at least one of them.
    """

    path: str
    url: str
    sha256: str
    mode: str = "0644"
    timeout: int = 600
    kind: ClassVar[str] = "Download"

    def __post_init__(self) -> None:
        check_path("Download", self.path)
        check_mode("Download", self.path, self.mode)
        check_sha256("Download", self.path, self.sha256)

    @property
    def key(self) -> str:
        return f"Download {self.path}"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    @property
    def digest(self) -> str:
        return f"{self.path} {self.sha256} {self.mode}"

    @property
    def _stamp(self) -> str:
        return f"download-{hashlib.sha256(self.path.encode()).hexdigest()[:16]}"

    def questions(self) -> tuple[Question, ...]:
        return (FileQuestion(self.path, content=False), stamp_question(self._stamp))

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        state: FileState = answers[FileQuestion(self.path, content=False)]
        stamp: str = answers[stamp_question(self._stamp)]
        if not state.exists:
            return Change(Action.CREATE, f"fetch {self.path}")
        if stamp != f"{self.sha256} {state.identity}":
            old = stamp.partition(" ")[0]
            why = f"{old[:12]} -> {self.sha256[:12]}" if old and old != self.sha256 else "it was replaced by hand"
            return Change(Action.UPDATE, f"fetch {self.path}: {why if old else 'of unknown origin'}")
        if state.mode.zfill(4) != self.mode or state.owner != "root":
            return Change(Action.UPDATE, f"{self.path}: mode {state.mode.zfill(4)}, owner {state.owner}")
        return None

    @property
    def rollback_summary(self) -> str:
        return "its previous URL and SHA-256"

    def snapshot_script(self, change: Change) -> str:
        return f"{PriorEntry.script(self.path)}\n{_stamped(self._stamp)}"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        prior = PriorEntry.read(snapshot)
        if prior is None:
            return Rollback((File(path=self.path, absent=True),))
        source = _source(prior.content)
        if source is None:
            return Rollback(why=f"{self.key}: the URL of the previous file is unknown")
        return Rollback((replace(self, url=source[1], sha256=source[0], mode=prior.mode),))

    @property
    def removal(self) -> Resource | None:
        return File(path=self.path, absent=True)

    def fix(self, change: Change) -> Step:
        install = SCRIPTS.call("download", self.path, self.mode, STAMP=f"{STAMPS}/{self._stamp}")
        fetched = fetch(self.path, self.url, self.sha256, self.timeout)
        return Step(fetched + install, timeout=self.timeout + 60)


@dataclass(frozen=True, kw_only=True)
class Image(Reversible):
    """A container image in containerd's k8s.io namespace, out of an OCI archive at a URL.

    Image(name="lab.local/traefik:3.7.15", url=…, sha256=…)
    """

    name: str
    url: str
    sha256: str
    timeout: int = 600

    def __post_init__(self) -> None:
        check_sha256("Image", self.name, self.sha256)

    @property
    def key(self) -> str:
        return f"Image {self.name}"

    @property
    def _stamp(self) -> str:
        return f"image-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"

    # one listing for all images: the question is the same for each of them
    _LISTING: ClassVar[ShellQuestion] = ShellQuestion(
        "command -v ctr >/dev/null && timeout 10 ctr -n k8s.io images ls -q 2>/dev/null"
    )

    def questions(self) -> tuple[Question, ...]:
        return (self._LISTING, stamp_question(self._stamp))

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        listing: ShellAnswer = answers[self._LISTING]
        if self.name not in listing.output.splitlines():
            return Change(Action.CREATE, f"import {self.name}")
        if answers[stamp_question(self._stamp)] != self.sha256:
            return Change(Action.UPDATE, f"import {self.name}: another archive")
        return None

    @property
    def rollback_summary(self) -> str:
        return "its previous archive; a new image stays"

    def snapshot_script(self, change: Change) -> str:
        return _stamped(self._stamp)

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        source = _source(snapshot)
        if not source or action is not Action.UPDATE:
            return Rollback()
        return Rollback((replace(self, url=source[1], sha256=source[0]),))

    def fix(self, change: Change) -> Step:
        fetched = fetch("/var/tmp/image", self.url, self.sha256, self.timeout)
        script = fetched + SCRIPTS.call("image", STAMP=f"{STAMPS}/{self._stamp}")
        return Step(script, timeout=self.timeout + 120)
