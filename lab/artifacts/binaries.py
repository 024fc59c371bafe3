"""Kubernetes' programs, from one of three sources: built from Go modules, the official release, or a folder."""

from __future__ import annotations

import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.artifacts.cache import BLOCK, Cache, Entry, Progress, sha256_of, silent
from lab.artifacts.golang import Module, go_programs, toolchain
from lab.artifacts.runner import Runner
from provision.errors import FailedError, InputError
from provision.home import expanded

VERSION = "1.34.4"
COREDNS_VERSION = "1.12.4"
COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)
RELEASES = "https://dl.k8s.io/release"
VARIABLE = "HDSS7_BINARIES"


def ldflags(version: str) -> str:
    """The linker's flags by which `kube-apiserver --version` and `kubectl version` say this version.

    An official build sets the same variables.
    """
    major, minor, _ = version.split(".")
    says = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{k}={v}" for k, v in says.items())])


AGNHOST_PACKAGE = "k8s.io/kubernetes/test/images/agnhost"

KUBERNETES = Module(
    "kubernetes",
    "kubernetes",
    packages=(*(f"k8s.io/kubernetes/cmd/{command}" for command in COMMANDS), AGNHOST_PACKAGE),
    programs=(*COMMANDS, "agnhost"),
    ldflags=ldflags(VERSION),
    about="compiling Kubernetes takes some 9 minutes on 2 cores, once",
)
# Released as an image only, so the other sources build this one program; the same build, less of it.
AGNHOST = Module("agnhost", "kubernetes", (AGNHOST_PACKAGE,), ("agnhost",), ldflags(VERSION))
COREDNS = Module(
    "coredns", "coredns", packages=(".",), programs=("coredns",), about="compiling CoreDNS takes a minute or two"
)


@dataclass(frozen=True)
class Source:
    """Where Kubernetes' programs come from. kind: build, release or dir; location: base URL or folder."""

    kind: str
    location: str = ""


def parse_source(text: str = "") -> Source:
    """`build`, `release`, `release:BASE_URL` or `dir:FOLDER`; by default $HDSS7_BINARIES, else `build`.

    Raises InputError for anything else.
    """
    text = text or os.environ.get(VARIABLE, "") or "build"
    kind, _, location = text.partition(":")
    if kind == "build" and not location:
        return Source("build")
    if kind == "release":
        return Source("release", (location or RELEASES).rstrip("/"))
    if kind == "dir" and location:
        return Source("dir", str(expanded(location).absolute()))
    raise InputError(
        "no such source of Kubernetes' programs",
        found=f"it says {text!r}",
        do="write build, release, release:BASE_URL or dir:FOLDER",
    )


def programs(cache: Cache, runner: Runner, source: Source, progress: Progress = silent) -> list[Entry]:
    """Entries that together hold the six commands, agnhost and coredns; what the source lacks is built.

    Raises FailedError or InputError when a program can't be had.
    """
    entries = []
    if source.kind == "release":
        entries.append(released(cache, runner, source.location, progress))
    elif source.kind == "dir":
        entries.append(from_folder(cache, source.location, progress))
    lacking = [name for name in (*COMMANDS, "agnhost", "coredns") if not any(e.holds(name) for e in entries)]
    if not lacking:
        return entries
    go = toolchain(cache, runner, progress)
    if "agnhost" in lacking:
        module = KUBERNETES if source.kind == "build" else AGNHOST
        entries.append(go_programs(cache, runner, go, module, progress))
    if "coredns" in lacking:
        entries.append(go_programs(cache, runner, go, COREDNS, progress))
    return entries


def released(cache: Cache, runner: Runner, location: str, progress: Progress = silent) -> Entry:
    """The official programs, each checked against the sha256 published beside it.

    location: base URL; files are at LOCATION/vVERSION/bin/linux/amd64/NAME. Raises FailedError when one can't be
    fetched or isn't what its sha256 says.
    """

    def build(folder: Path, log: Path) -> list[str]:
        for command in COMMANDS:
            url = f"{location}/v{VERSION}/bin/linux/amd64/{command}"
            progress("release", f"downloading {url}")
            fetch(url, folder / command, runner.stopped.is_set)
            check(folder / command, url)
        return list(COMMANDS)

    made_of = {"location": location, "version": VERSION, "commands": " ".join(COMMANDS)}
    return cache.entry("release", made_of, build, progress)


def check(file: Path, url: str) -> None:
    """Compare a downloaded program with the sha256 at URL.sha256, then make it executable."""
    sums = file.with_name(f"{file.name}.sha256")
    fetch(f"{url}.sha256", sums)
    published, found = sums.read_text(errors="replace").split(), sha256_of(file)
    sums.unlink()
    wanted = published[0] if published else "given"
    if wanted != found:
        raise FailedError(
            f"the download {url} is not what its publisher says",
            found=f"its sha256 is {found}, not {wanted}",
            do="nothing was kept; try again, or use another source (build, dir:FOLDER)",
        )
    file.chmod(0o755)


def fetch(url: str, target: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Stream a URL into a file; raises FailedError when it can't be had whole, or once `stopped` says so."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, target.open("wb") as file:
            while block := answer.read(BLOCK):
                if stopped():
                    raise FailedError(f"the download of {url} ended", found="the run was interrupted")
                file.write(block)
            expected = int(answer.headers.get("Content-Length") or file.tell())
            if file.tell() != expected:
                raise FailedError(f"{url} was cut off", found=f"{file.tell()} bytes of {expected} came")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        raise FailedError(
            f"{url} could not be downloaded",
            found=str(error),
            do=f"check this machine's way out, or set {VARIABLE} to build or dir:FOLDER",
        ) from error


def from_folder(cache: Cache, location: str, progress: Progress = silent) -> Entry:
    """Programs copied from a folder: the six commands, and agnhost and coredns when they are there.

    Raises InputError when a command is missing.
    """
    folder = Path(location)
    missing = [command for command in COMMANDS if not (folder / command).is_file()]
    if missing:
        raise InputError(
            f"the folder {folder} does not hold Kubernetes' programs",
            found=f"missing: {', '.join(missing)}",
            do=f"put them there, or set {VARIABLE} to build or release",
        )
    names = [name for name in (*COMMANDS, "agnhost", "coredns") if (folder / name).is_file()]

    def build(target: Path, log: Path) -> list[str]:
        for name in names:
            shutil.copyfile(folder / name, target / name)
            (target / name).chmod(0o755)
        return names

    return cache.entry("dir", _stamps(folder, names), build, progress)


def _stamps(folder: Path, names: list[str]) -> Mapping[str, str]:
    """What tells one content from another without reading it: size, time and inode of each file."""
    stats = {name: (folder / name).stat() for name in names}
    return {"folder": str(folder)} | {
        name: f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}" for name, stat in stats.items()
    }
