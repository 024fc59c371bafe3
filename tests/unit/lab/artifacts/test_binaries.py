"""Kubernetes' programs from a release server or from a folder: the right bytes, or an error that helps."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.artifacts.binaries import (
    COMMANDS,
    KUBERNETES,
    VARIABLE,
    VERSION,
    Source,
    fetch,
    from_folder,
    parse_source,
    released,
)
from lab.artifacts.cache import Cache
from lab.artifacts.runner import Runner
from provision.errors import FailedError, InputError


class Quiet(SimpleHTTPRequestHandler):
    """A file server; `/cut` announces more than it sends."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/cut":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"short")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A folder laid out as the release server's, with small stand-ins for the programs."""
    folder = tmp_path / "mirror" / f"v{VERSION}" / "bin" / "linux" / "amd64"
    folder.mkdir(parents=True)
    for command in COMMANDS:
        data = f"#!/bin/sh\necho {command}\n".encode()
        (folder / command).write_bytes(data)
        (folder / f"{command}.sha256").write_text(hashlib.sha256(data).hexdigest())
    return folder


@pytest.fixture
def url(mirror: Path, tmp_path: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "mirror")))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("", Source("build")),
        ("build", Source("build")),
        ("release", Source("release", "https://dl.k8s.io/release")),
        ("release:http://127.0.0.1:8000/", Source("release", "http://127.0.0.1:8000")),
        ("dir:/srv/kubernetes", Source("dir", "/srv/kubernetes")),
    ],
)
def test_a_source_is_written_as_one_word(text: str, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert parse_source(text) == source


@pytest.mark.parametrize("text", ["relase", "dir", "dir:", "build:here", "https://example.org"])
def test_a_wrong_source_is_bad_input_that_lists_the_right_ones(text: str) -> None:
    with pytest.raises(InputError, match=r"build, release, release:BASE_URL or dir:FOLDER"):
        parse_source(text)


def test_the_environment_chooses_the_source_unless_an_argument_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "dir:/somewhere")
    assert parse_source() == Source("dir", "/somewhere")
    assert parse_source("build") == Source("build")


def test_released_programs_are_fetched_checked_and_executable(tmp_path: Path, url: str) -> None:
    entry = released(Cache(tmp_path / "cache"), Runner(), url)
    for command in COMMANDS:
        path, sha256 = entry.file(command)
        assert os.access(path, os.X_OK)
        assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(tmp_path: Path, url: str, mirror: Path) -> None:
    (mirror / "kubelet.sha256").write_text("0" * 64)
    with pytest.raises(FailedError) as error:
        released(Cache(tmp_path / "cache"), Runner(), url)
    found = hashlib.sha256((mirror / "kubelet").read_bytes()).hexdigest()
    assert f"{url}/v{VERSION}/bin/linux/amd64/kubelet" in str(error.value)
    assert f"its sha256 is {found}, not {'0' * 64}" in str(error.value)
    assert [path for path in (tmp_path / "cache" / "release").iterdir() if path.is_dir()] == []


def test_an_empty_checksum_file_is_refused_too(tmp_path: Path, url: str, mirror: Path) -> None:
    (mirror / "kubelet.sha256").write_text("")
    with pytest.raises(FailedError, match="is not what its publisher says"):
        released(Cache(tmp_path / "cache"), Runner(), url)


def test_a_missing_release_names_the_url_and_the_other_sources(tmp_path: Path, url: str, mirror: Path) -> None:
    (mirror / "kubectl").unlink()
    with pytest.raises(FailedError, match=r"kubectl could not be downloaded.*404.*HDSS7_BINARIES to build"):
        released(Cache(tmp_path / "cache"), Runner(), url)


def test_a_server_that_is_not_there_is_one_paragraph(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match=r"could not be downloaded.*refused"):
        fetch("http://127.0.0.1:1/file", tmp_path / "file")


def test_a_download_that_is_cut_off_is_noticed(tmp_path: Path, url: str) -> None:
    with pytest.raises(FailedError, match=r"cut off\. 5 bytes of 100 came"):
        fetch(f"{url}/cut", tmp_path / "file")


def test_a_folder_without_all_commands_says_which_are_missing(tmp_path: Path, mirror: Path) -> None:
    (mirror / "kube-proxy").unlink()
    (mirror / "kubelet").unlink()
    with pytest.raises(InputError, match="missing: kubelet, kube-proxy"):
        from_folder(Cache(tmp_path / "cache"), str(mirror))


def test_a_program_replaced_in_the_folder_is_taken_anew(tmp_path: Path, mirror: Path) -> None:
    cache = Cache(tmp_path / "cache")
    before = from_folder(cache, str(mirror))
    assert from_folder(cache, str(mirror)).hit
    (mirror / "kubelet").write_text("another")
    after = from_folder(cache, str(mirror))
    assert after.file("kubelet")[1] == hashlib.sha256(b"another").hexdigest()
    assert after.file("kubectl")[1] == before.file("kubectl")[1]


def test_the_build_says_the_version_it_was_pinned_to() -> None:
    module_list = (KUBERNETES.directory() / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{VERSION}" in module_list
    assert f"version.gitVersion=v{VERSION}" in KUBERNETES.ldflags
