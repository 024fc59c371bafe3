"""The lab's apt repository: every package that a role installs, with what it depends on and a host lacks."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from email.utils import formatdate
from pathlib import Path

from lab.artifacts.cache import Cache, Entry, Progress, sha256_of, silent
from lab.artifacts.rootfs import ROOT, SOURCES
from lab.artifacts.runner import Runner, output

PACKAGES = (
    "nginx", "libnginx-mod-stream", "haproxy",                          # edge
    "bind9", "bind9-utils", "bind9-dnsutils",                           # bind; dig
    "supervisor",                                                       # parent of every course program
    "etcd-server", "etcd-client",
    "containerd", "runc", "containernetworking-plugins",
    "iptables", "nftables", "ipset", "ipvsadm", "conntrack", "kmod",    # kube-proxy, in each of its modes
    "socat", "ethtool", "ebtables", "iputils-ping",
    "keepalived",
)  # fmt: skip
# apt writes an epoch as `1%3a` into the file's name; an HTTP server would read that as a colon.
EPOCH = re.compile(r"_\d+%3a")


def repository(cache: Cache, runner: Runner, tree: Entry, progress: Progress = silent) -> Entry:
    """The cached repository: .deb files and their index in one flat folder, for `deb [trusted=yes] URL ./`.

    Packages are resolved against the disk `tree`, so a host needs no other source. Raises FailedError when a
    package can't be had.
    """

    def build(folder: Path, log: Path) -> list[str]:
        state = folder / "state"
        _download(runner, tree, state, log)
        for package in sorted((state / "archives").glob("*.deb")):
            package.rename(folder / EPOCH.sub("_", package.name))
        shutil.rmtree(state)
        write_index(folder)
        return ["Packages", "Packages.gz", "Release"]

    made_of = {"tree": tree.key, "packages": " ".join(PACKAGES), "written by": sha256_of(Path(__file__))}
    return cache.entry("apt", made_of, build, progress)


def _download(runner: Runner, tree: Entry, state: Path, log: Path) -> None:
    """Let apt resolve and fetch, on a state of its own: the machine's lists and locks aren't touched."""
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True)
    disk = tree.path / ROOT
    (state / "apt.conf").write_text(
        f"""\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "{tree.path / SOURCES}";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::trustedparts "{disk}/etc/apt/trusted.gpg.d";
Dir::State "{state}";
Dir::State::lists "{state}/lists";
Dir::State::status "{disk}/var/lib/dpkg/status";
Dir::Cache "{state}";
Dir::Cache::archives "{state}/archives";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
"""
    )
    own = {"APT_CONFIG": str(state / "apt.conf")}
    apt = ["apt-get", "--quiet", "--yes"]
    runner.run("reading Debian's package lists", [*apt, "update"], log, state, env=own)
    runner.run("downloading packages", [*apt, "install", "--download-only", *PACKAGES], log, state, env=own)


def write_index(folder: Path) -> None:
    """Write Packages, Packages.gz and Release for the .deb files of `folder`.

    Source: Debian's repository format, flat repositories; apt takes them without a signature when the source
    line says `[trusted=yes]`.
    """
    stanzas = []
    for package in sorted(folder.glob("*.deb")):
        control = output(f"reading {package.name}", ["dpkg-deb", "--field", str(package)]).strip()
        where = f"Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {sha256_of(package)}"
        stanzas.append(f"{control}\n{where}\n")
    index = "\n".join(stanzas).encode()
    (folder / "Packages").write_bytes(index)
    (folder / "Packages.gz").write_bytes(gzip.compress(index, mtime=0))
    # Dated as its newest package: reproducible, and never in the future of a host whose clock is behind.
    newest = max((package.stat().st_mtime for package in folder.glob("*.deb")), default=0.0)
    date = formatdate(newest, usegmt=True)
    files = [(folder / name).read_bytes() for name in ("Packages", "Packages.gz")]
    sums = "".join(
        f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
        for name, data in zip(("Packages", "Packages.gz"), files, strict=True)
    )
    (folder / "Release").write_text(f"Label: lab\nSuite: lab\nDate: {date}\nArchitectures: amd64\nSHA256:\n{sums}")
