"""Everything that a lab's hosts are made of and may fetch, prepared at once and named for the inventory."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.artifacts import images
from lab.artifacts.apt_repository import repository
from lab.artifacts.binaries import COMMANDS, Source, parse_source, programs
from lab.artifacts.cache import RECORD, Cache, Doing, Entry, Progress, silent, unseen
from lab.artifacts.gateway_api import FILE as GATEWAY_API
from lab.artifacts.gateway_api import gateway_api
from lab.artifacts.golang import toolchain
from lab.artifacts.rootfs import ROOT, machine_tree_entry, tree_entry
from lab.artifacts.runner import Runner
from lab.artifacts.wheels import wheel
from lab.suites import BOOKWORM, apt_folder, apt_repository

OPS_URL = "http://10.4.7.200"
SERVED = "www"


@dataclass(frozen=True)
class Catalog:
    """What hdss7-200 serves. directory: the folder to serve as `/`. variables: the inventory's, for all hosts.
    entries: what was made for it, for a table of sizes and times."""

    directory: Path
    variables: Mapping[str, Any]
    entries: tuple[Entry, ...]


class Preparation:
    """All builds, started at once; each result is there as soon as it can be.

    trees: the hosts' disks by Debian's suite, so that hosts can boot while Go still builds. machine: a virtual
    machine's, if one is wanted. catalog: everything that is served. The first failure ends the others. Used as a
    context manager: leaving it, by an error or by Ctrl-C, ends what still runs.
    """

    def __init__(
        self,
        progress: Progress = silent,
        source: str = "",
        cache: Cache | None = None,
        *,
        suites: Collection[str] = (BOOKWORM,),
        machine: bool = False,
        doing: Doing = unseen,
    ) -> None:
        """source: as `parse_source` takes it; raises InputError for a wrong one before anything starts."""
        wanted = parse_source(source)
        self._runner = Runner()
        self._progress = progress
        self._cache = cache or Cache(stopped=self._runner.stopped, doing=doing)
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="artifact")
        disks = {
            suite: self._pool.submit(tree_entry, self._cache, self._runner, progress, suite)
            for suite in sorted({BOOKWORM, *suites})
        }
        self.trees = {suite: self._pool.submit(_root, disk) for suite, disk in disks.items()}
        machines = (
            self._pool.submit(machine_tree_entry, self._cache, self._runner, progress) if machine else disks[BOOKWORM]
        )
        self.machine: Future[Path] = self._pool.submit(_root, machines)
        packages = {suite: self._pool.submit(self._packages, disk) for suite, disk in disks.items()}
        parts = [
            *packages.values(),
            self._pool.submit(self._debian_images),
            self._pool.submit(self._traefik),
            self._pool.submit(self._programs, wanted),
            self._pool.submit(self._gateway_api),
        ]
        self.catalog: Future[Catalog] = self._pool.submit(self._assemble, parts, packages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.catalog.done():
            self._runner.stop()
        self._pool.shutdown(cancel_futures=True)

    def _packages(self, disk: Future[Entry]) -> list[Entry]:
        tree = disk.result()
        return [tree, repository(self._cache, self._runner, tree, self._progress)]

    def _debian_images(self) -> list[Entry]:
        cache, runner, progress = self._cache, self._runner, self._progress
        pause = images.catatonit(cache, runner, progress)
        return [
            images.program_image(cache, images.PAUSE, pause, progress),
            images.debian_image(cache, runner, images.NGINX, progress),
            images.debian_image(cache, runner, images.WEBSOCKET, progress),
        ]

    def _traefik(self) -> list[Entry]:
        program = wheel(self._cache, self._runner, "traefik", self._progress)
        return [program, images.program_image(self._cache, images.TRAEFIK, program, self._progress)]

    def _programs(self, source: Source) -> list[Entry]:
        built = programs(self._cache, self._runner, source, self._progress)
        return built + [
            images.program_image(
                self._cache, image, next(entry for entry in built if entry.holds(image.name)), self._progress
            )
            for image in (images.AGNHOST, images.COREDNS)
        ]

    def _gateway_api(self) -> list[Entry]:
        go = toolchain(self._cache, self._runner, self._progress)
        return [gateway_api(self._cache, go, self._progress)]

    def _assemble(self, parts: list[Future[list[Entry]]], packages: Mapping[str, Future[list[Entry]]]) -> Catalog:
        done, _ = wait(parts, return_when=FIRST_EXCEPTION)
        if errors := [error for part in done if (error := part.exception())]:
            self._runner.stop()
            raise errors[0]
        entries = [entry for part in parts for entry in part.result()]
        return assemble(self._cache, entries, {suite: part.result()[-1] for suite, part in packages.items()})


def _root(disk: Future[Entry]) -> Path:
    return disk.result().path / ROOT


def assemble(cache: Cache, entries: list[Entry], repositories: Mapping[str, Entry], ops_url: str = OPS_URL) -> Catalog:
    """The folder to serve, made of hard links to what the entries hold, and the variables that name its files.

    repositories: of packages, by Debian's suite.
    """
    folders = {apt_folder(suite): entry for suite, entry in repositories.items()}
    files = {f"bin/{command}": _find(entries, command) for command in COMMANDS}
    files |= {f"images/{image.name}.tar": _find(entries, f"{image.name}.tar") for image in IMAGES}
    files[f"manifests/{GATEWAY_API}"] = _find(entries, GATEWAY_API)

    def build(folder: Path, log: Path) -> list[str]:
        for name in (*folders, "bin", "images", "manifests"):
            (folder / SERVED / name).mkdir(parents=True)
        for served, (path, _) in files.items():
            os.link(path, folder / SERVED / served)
        for name, entry in folders.items():
            for path in entry.path.iterdir():
                if path.name != RECORD:
                    os.link(path, folder / SERVED / name / path.name)
        return []

    made_of = {served: sha256 for served, (_, sha256) in files.items()} | {
        name: entry.key for name, entry in folders.items()
    }
    served = cache.entry("served", made_of, build)
    return Catalog(served.path / SERVED, _variables(ops_url, files), tuple(entries))


IMAGES = (images.PAUSE, images.COREDNS, images.TRAEFIK, images.NGINX, images.AGNHOST, images.WEBSOCKET)


def _variables(ops_url: str, files: Mapping[str, tuple[Path, str]]) -> dict[str, Any]:
    def where(served: str) -> dict[str, str]:
        return {"url": f"{ops_url}/{served}", "sha256": files[served][1]}

    return {
        "ops_url": ops_url,
        "apt_repository": apt_repository(ops_url),
        "binaries": {command: where(f"bin/{command}") for command in COMMANDS},
        "gateway_api": where(f"manifests/{GATEWAY_API}"),
        "images": {image.name: {**where(f"images/{image.name}.tar"), "name": image.config.name} for image in IMAGES},
    }


def _find(entries: list[Entry], file: str) -> tuple[Path, str]:
    return next(entry for entry in entries if entry.holds(file)).file(file)


def prepare(progress: Progress = silent, source: str = "", cache: Cache | None = None) -> Catalog:
    """Build or find everything, and wait for it.

    source: where Kubernetes' programs come from (see `parse_source`). Raises InputError for bad input or a
    missing tool, FailedError when a build fails; the cache then holds what was finished.
    """
    with Preparation(progress, source, cache) as preparation:
        return preparation.catalog.result()
