"""Another version of one of Kubernetes' programs: from, to, and what may not be.

What is allowed is Kubernetes' own rule, https://kubernetes.io/releases/version-skew-policy/: API servers go one minor
version at a time, and a kubelet or kube-proxy is never newer than an API server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from provision.errors import Exit, FailedError
from provision.facts.host import FileQuestion, FileState, ShellAnswer, ShellQuestion
from provision.facts.lookup import After, Found, LookupQuestion
from provision.facts.question import STAMPS, Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.optional.dependent import stamp_question
from provision.resources.optional.reversible import Reversible, Rollback
from provision.spelling import listed
from provision.usage import usage

SCRIPTS = Scripts(__file__)
CGROUP_V2 = FileQuestion("/sys/fs/cgroup/cgroup.controllers", content=False)
CONTAINERD = ShellQuestion("containerd --version 2>/dev/null | sed -n 's/.* v\\{0,1\\}\\([0-9]*\\)[.][0-9.]*.*/\\1/p'")
# https://kubernetes.io/blog: kubelet 1.35 does not start on control groups v1 unless failCgroupV1 is false, 1.37 needs
# containerd 2
CGROUP_V1_ENDS, CONTAINERD_1_ENDS = (1, 35), (1, 37)


class VersionError(FailedError):
    """A version that can't follow the one that runs: the inventory can't be meant, so exit 4."""

    exit = Exit.BAD_INPUT


@dataclass(frozen=True)
class Wanted:
    """The declared version, and where it is written ('' for a default)."""

    version: str
    line: str

    @property
    def minor(self) -> tuple[int, int]:
        """1.34.4 is (1, 34)."""
        return minor(self.version)

    def refuse(self, what: str, found: str, do: str) -> VersionError:
        """The error of a version that can't be had."""
        return VersionError(f"{what}: nothing was changed", line=self.line, found=found, do=do)


@dataclass(frozen=True, kw_only=True)
class KubernetesVersion(Reversible, Resource):
    """One program's step from the version that runs to the declared one; shown by the plan, made by what follows it.

        KubernetesVersion(of="kubelet", unit="/etc/supervisor/conf.d/kube-kubelet.conf", wanted=Wanted("1.35.4", line))

    unit: supervisord's file, whose command lies in the version's own folder. before: sh that runs before anything of
    the program changes, and `says` what it does. not_before: API servers, name -> URL, that may not be older; those of
    `outside` are not part of this run. on_cgroup_v1: whether the program may run there. containerd: it needs one.
    """

    of: str
    unit: str
    wanted: Wanted
    before: str = field(default=":", repr=False)
    says: str = ""
    not_before: Mapping[str, str] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()
    on_cgroup_v1: bool = True
    containerd: bool = False

    @property
    def key(self) -> str:
        return f"KubernetesVersion {self.of}"

    @property
    def _live(self) -> LookupQuestion:
        return LookupQuestion(self.unit, (After("^command=.*-v", "[0-9]+[.][0-9]+[.][0-9]+"),))

    @property
    def _unit(self) -> FileQuestion:
        return FileQuestion(self.unit, content=False)

    @property
    def _servers(self) -> ShellQuestion:
        words = [word for pair in self.not_before.items() for word in pair]
        return ShellQuestion(SCRIPTS.call("api_versions", *words, UNIT=self.unit, VERSION=self.wanted.version))

    @property
    def _stamp(self) -> str:
        return f"version-{self.of}"

    @property
    def _no_cgroup_v1(self) -> bool:
        return self.wanted.minor >= CGROUP_V1_ENDS and not self.on_cgroup_v1

    @property
    def _no_containerd_1(self) -> bool:
        return self.wanted.minor >= CONTAINERD_1_ENDS and self.containerd

    def questions(self) -> tuple[Question, ...]:
        return (
            self._live,
            self._unit,
            stamp_question(self._stamp),
            *((self._servers,) if self.not_before else ()),
            *((CGROUP_V2,) if self._no_cgroup_v1 else ()),
            *((CONTAINERD,) if self._no_containerd_1 else ()),
        )

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live: Found = answers[self._live]
        if live.value == self.wanted.version:
            return None
        self._refuse_host(answers)
        if not live.value:
            return None
        self._refuse_step(live)
        if older := self._older(answers):
            return Unknown(f"the API servers run v{self.wanted.version} (older: {older})")
        state: FileState = answers[self._unit]
        if answers[stamp_question(self._stamp)] == f"{self.wanted.version} {state.identity}":
            return None  # what follows has it in hand
        says = f", {self.says}" if self.says else ""
        return Change(Action.UPDATE, f"v{live.value} becomes v{self.wanted.version}{says}")

    def _refuse_host(self, answers: Answers) -> None:
        if self._no_cgroup_v1 and not answers[CGROUP_V2].exists:
            raise self.wanted.refuse(
                f"{self.of} {self.wanted.version} does not start on control groups of version 1, which this host has",
                "/sys/fs/cgroup is not a cgroup2 file system",
                "Set kubelet.config.failCgroupV1 to false, or boot the host with systemd.unified_cgroup_hierarchy=1",
            )
        found: ShellAnswer | None = answers[CONTAINERD] if self._no_containerd_1 else None
        if found and found.output.strip() == "1":
            raise self.wanted.refuse(
                f"{self.of} {self.wanted.version} needs containerd 2, and this host has containerd 1",
                "containerd --version says 1.x",
                "Set containerd.package to one that brings containerd 2, and deploy that first",
            )

    def _refuse_step(self, live: Found) -> None:
        now, then = minor(live.value), self.wanted.minor
        if then < now:
            raise self.wanted.refuse(
                f"{self.of} can't go back from v{live.value} to v{self.wanted.version}, a lower minor version",
                f"{live.file} runs v{live.value}; what etcd holds may have been written by it",
                f"Write site.kubernetes: {live.value}. To undo the upgrade as a whole: {usage('history')} names its "
                f"run, then {usage('rollback --run RUN')}",
            )
        if then[0] != now[0] or then[1] - now[1] > 1:
            raise self.wanted.refuse(
                f"{self.of} can't go from v{live.value} to v{self.wanted.version} in one step",
                f"{live.file} runs v{live.value}; Kubernetes is upgraded one minor version at a time",
                f"Deploy {now[0]}.{now[1] + 1} first",
            )

    def _older(self, answers: Answers) -> str:
        """The API servers of this run that are still older. Raises VersionError for one that will stay so."""
        lines = answers[self._servers].output.splitlines() if self.not_before else []
        found = dict(line.split(maxsplit=1) for line in lines if " " in line)
        older = {name: v for name, v in found.items() if v != "-" and minor(v) < self.wanted.minor}
        if stay := [f"{name} runs v{version}" for name, version in older.items() if name in self.outside]:
            raise self.wanted.refuse(
                f"{self.of} would be newer than an API server that this run leaves as it is",
                listed(stay),
                "Deploy the masters first, or all hosts together, without --limit",
            )
        return listed(older)

    def fix(self, change: Change) -> Step:
        stamped = SCRIPTS.call("version_begun", f"{STAMPS}/{self._stamp}", UNIT=self.unit, VERSION=self.wanted.version)
        return Step(f"set -eu\n{self.before}\n{stamped}", timeout=300)

    @property
    def rollback_summary(self) -> str:
        return "goes back with the program's files"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback()


def minor(version: str) -> tuple[int, int]:
    """1.34.4 is (1, 34)."""
    first, second, *_ = version.split(".")
    return int(first), int(second)
