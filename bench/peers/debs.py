"""What Debian has to bring to a bare host before the others can work there: supervisor, Python with apt, file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lab.artifacts.cache import Cache, sha256_of
from lab.artifacts.rootfs import ROOT, SOURCES, tree_entry
from lab.artifacts.runner import Runner

PACKAGES = ("supervisor", "python3-apt", "file")
# apt on a state of its own, and the sources of the hosts' disk: the machine's lists and locks are not touched.
OPTIONS = {
    "Dir::Etc::main": "/dev/null",
    "Dir::Etc::parts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::trustedparts": "{root}/etc/apt/trusted.gpg.d",
    "Dir::Etc::sourcelist": "{sources}",
    "Dir::State": "{state}",
    "Dir::State::lists": "{state}/lists",
    "Dir::State::status": "{root}/var/lib/dpkg/status",
    "Dir::Cache": "{state}",
    "Dir::Cache::archives": "{state}/archives",
    "APT::Sandbox::User": "root",
    "APT::Install-Recommends": "false",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
}


def debs() -> Sequence[Path]:
    """The .deb files, from the cache. Raises FailedError when they can't be had."""
    cache, runner = Cache(), Runner()
    tree = tree_entry(cache, runner)
    root, sources = tree.path / ROOT, tree.path / SOURCES

    def build(folder: Path, log: Path) -> list[str]:
        state = folder / "state"
        for each in ("lists/partial", "archives/partial"):
            (state / each).mkdir(parents=True)
        options = {name: value.format(root=root, sources=sources, state=state) for name, value in OPTIONS.items()}
        apt = ["apt-get", "--quiet", "--yes", *(word for pair in options.items() for word in ("-o", "=".join(pair)))]
        runner.run("reading Debian's package lists", [*apt, "update"], log, state)
        runner.run("downloading packages", [*apt, "install", "--download-only", *PACKAGES], log, state)
        return [str(path.relative_to(folder)) for path in sorted((state / "archives").glob("*.deb"))]

    made_of = {"tree": tree.key, "packages": " ".join(PACKAGES), "written by": sha256_of(Path(__file__))}
    entry = cache.entry("peers", made_of, build)
    return sorted(entry.path.glob("state/archives/*.deb"))
