"""The smaller builders: Go, wheels, the package index, and the catalog that names everything for the inventory."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import urlparse

import pytest

from lab.artifacts import images
from lab.artifacts.apt_repository import write_index
from lab.artifacts.binaries import COMMANDS
from lab.artifacts.cache import Cache, Entry, sha256_of
from lab.artifacts.catalog import assemble
from lab.artifacts.golang import Module, Toolchain, go_programs, is_enough
from lab.artifacts.runner import Runner
from lab.artifacts.wheels import PINS, unpack
from lab.suites import BOOKWORM, TRIXIE
from provision.errors import FailedError


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        *(("go1.25", True), ("go1.26.8", True), ("go1.25rc1", True), ("go2.0", True), ("go1.100", True)),
        *(("go1.23.9", False), ("go1.4", False), ("devel +abc", False), ("", False)),
    ],
)
def test_a_go_is_used_when_it_is_new_enough(version: str, enough: bool) -> None:
    assert is_enough(version) is enough


@pytest.mark.skipif(not shutil.which("go") or os.geteuid() != 0, reason="needs Go, and root for build steps")
def test_a_program_that_does_not_compile_shows_gos_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "go.mod").write_text("module broken\n\ngo 1.24\n")
    (tmp_path / "broken" / "main.go").write_text("package main\n\nfunc main() { nowhere() }\n")
    monkeypatch.setattr("lab.artifacts.golang.MODULES", tmp_path)
    go = Toolchain(Path(shutil.which("go") or ""), "go1.26")
    with pytest.raises(FailedError, match=r"building broken with go1.26 failed(.|\n)*undefined: nowhere"):
        go_programs(Cache(tmp_path / "cache"), Runner(), go, Module("broken", "broken", (".",), ("broken",)))


def test_a_wheels_programs_become_executable_and_nothing_else_does(tmp_path: Path) -> None:
    files = ("thing-1.data/scripts/thing", "go/bin/go", "go/pkg/tool/linux_amd64/compile", "go/src/bin.go")
    with zipfile.ZipFile(tmp_path / "thing.whl", "w") as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file), "content")
    unpack(tmp_path / "thing.whl", tmp_path)
    executable = [file for file in files if os.stat(tmp_path / file).st_mode & 0o111]
    assert executable == list(files[:3])


@pytest.mark.parametrize("pin", sorted(PINS.glob("*.txt")), ids=lambda pin: pin.stem)
def test_every_wheel_is_pinned_to_a_version_and_a_hash(pin: Path) -> None:
    assert "==" in pin.read_text()
    assert "--hash=sha256:" in pin.read_text()


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_the_package_index_names_each_package_with_its_file_and_sum(tmp_path: Path) -> None:
    control = tmp_path / "thing" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        "Package: thing\nVersion: 1:2.0\nArchitecture: all\nMaintainer: the lab <lab@od.com>\nDescription: it\n"
    )
    subprocess.run(
        ["dpkg-deb", "--build", tmp_path / "thing", tmp_path / "thing_2.0_all.deb"], check=True, capture_output=True
    )
    write_index(tmp_path)
    index = (tmp_path / "Packages").read_text()
    assert "Package: thing\n" in index
    assert "Filename: ./thing_2.0_all.deb\n" in index
    assert f"SHA256: {sha256_of(tmp_path / 'thing_2.0_all.deb')}\n" in index
    assert gzip.decompress((tmp_path / "Packages.gz").read_bytes()).decode() == index
    release = (tmp_path / "Release").read_text()
    assert f" {hashlib.sha256(index.encode()).hexdigest()} {len(index.encode())} Packages\n" in release


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """Entries like those of a whole preparation, with a few bytes each."""
    tars = [f"{image.name}.tar" for image in (images.PAUSE, images.TRAEFIK, images.NGINX, images.WEBSOCKET)]
    own = [f"{image.name}.tar" for image in (images.COREDNS, images.AGNHOST)]
    held = {
        "apt": ["Packages", "thing.deb"],
        "gateway-api": ["gateway-api.yaml"],
        "kubernetes": [*COMMANDS, "agnhost"],
        "images": tars + own,
    }

    def builder(names: list[str]) -> object:
        def build(folder: Path, log: Path) -> list[str]:
            for name in names:
                (folder / name).write_text(f"content of {name}")
            return names

        return build

    cache = Cache(tmp_path)
    return [cache.entry(name, {}, builder(names)) for name, names in held.items()]  # type: ignore[arg-type]


def repositories(entries: list[Entry]) -> dict[str, Entry]:
    return {BOOKWORM: next(entry for entry in entries if entry.name == "apt")}


def test_every_url_of_the_inventory_is_served_with_its_sha256(tmp_path: Path, entries: list[Entry]) -> None:
    catalog = assemble(Cache(tmp_path), entries, repositories(entries))
    variables = catalog.variables
    named = [*variables["binaries"].values(), *variables["images"].values(), variables["gateway_api"]]
    assert len(named) == 13
    for artefact in named:
        served = catalog.directory / urlparse(artefact["url"]).path.lstrip("/")
        assert sha256_of(served) == artefact["sha256"]
    assert set(catalog.variables["binaries"]) == set(COMMANDS)
    assert {image["name"].rpartition(":")[0] for image in catalog.variables["images"].values()} == {
        f"lab.local/{name}" for name in ("pause", "coredns", "traefik", "nginx", "agnhost", "websocket")
    }


def test_the_packages_are_served_and_the_caches_own_records_are_not(tmp_path: Path, entries: list[Entry]) -> None:
    catalog = assemble(Cache(tmp_path), entries, repositories(entries))
    assert sorted(path.name for path in (catalog.directory / "apt").iterdir()) == ["Packages", "thing.deb"]
    assert sorted(path.name for path in catalog.directory.iterdir()) == ["apt", "bin", "images", "manifests"]


def test_each_suite_has_a_folder_of_its_own(tmp_path: Path, entries: list[Entry]) -> None:
    (apt,) = repositories(entries).values()
    catalog = assemble(Cache(tmp_path), entries, {BOOKWORM: apt, TRIXIE: apt})
    assert sorted(path.name for path in catalog.directory.iterdir()) == [
        "apt",
        "apt-trixie",
        "bin",
        "images",
        "manifests",
    ]


def test_the_variables_can_be_written_to_a_file(tmp_path: Path, entries: list[Entry]) -> None:
    variables = assemble(Cache(tmp_path), entries, repositories(entries)).variables
    assert json.loads(json.dumps(variables)) == variables
    assert variables["apt_repository"]["line"] == "deb [trusted=yes] http://10.4.7.200/apt ./"
