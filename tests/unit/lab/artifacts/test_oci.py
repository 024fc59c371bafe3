"""Images written by hand are what the OCI layout says, and the same every time."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lab.artifacts.oci import Config, write_image, write_layer

CONFIG = Config("lab.local/thing:1.2", entrypoint=("/thing",), command=("serve",))


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    write_layer(tmp_path / "layer.tar", {"/thing": program})
    return tmp_path / "layer.tar"


def read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file
    return file.read()


def blob(tar: tarfile.TarFile, descriptor: dict[str, Any]) -> bytes:
    """The blob of a descriptor, checked as a client checks it."""
    algorithm, _, digest = descriptor["digest"].partition(":")
    data = read(tar, f"blobs/{algorithm}/{digest}")
    assert hashlib.sha256(data).hexdigest() == digest
    assert len(data) == descriptor["size"]
    return data


def test_every_digest_leads_to_its_blob_and_the_name_is_the_images(tmp_path: Path, layer: Path) -> None:
    write_image(tmp_path / "image.tar", CONFIG, layer)
    with tarfile.open(tmp_path / "image.tar") as tar:
        assert json.loads(read(tar, "oci-layout")) == {"imageLayoutVersion": "1.0.0"}
        (entry,) = json.loads(read(tar, "index.json"))["manifests"]
        manifest = json.loads(blob(tar, entry))
        config = json.loads(blob(tar, manifest["config"]))
        (layer_entry,) = manifest["layers"]
        assert config["rootfs"]["diff_ids"] == [layer_entry["digest"]]
        assert blob(tar, layer_entry) == layer.read_bytes()
    assert entry["annotations"]["io.containerd.image.name"] == "lab.local/thing:1.2"
    assert (config["config"]["Entrypoint"], config["config"]["Cmd"]) == (["/thing"], ["serve"])


def test_the_same_program_gives_the_same_bytes_whenever_it_is_written(tmp_path: Path) -> None:
    images = []
    for name, when in (("one", 1), ("other", 2_000_000_000)):
        folder = tmp_path / name
        folder.mkdir()
        program = folder / "program"
        program.write_bytes(b"\x7fELF")
        os.utime(program, (when, when))
        write_layer(folder / "layer.tar", {"/thing": program})
        write_image(folder / "image.tar", CONFIG, folder / "layer.tar")
        images.append((folder / "image.tar").read_bytes())
    assert images[0] == images[1]


def test_a_program_lies_where_its_entrypoint_says_and_can_be_run(layer: Path) -> None:
    with tarfile.open(layer) as tar:
        assert tar.getmember("thing").mode == 0o755
        assert tar.getmember("tmp").mode == 0o1777
        assert b"root:x:0:0" in read(tar, "etc/passwd")


def test_a_big_program_is_never_held_in_memory(tmp_path: Path) -> None:
    program = tmp_path / "program"
    with program.open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    write_layer(tmp_path / "layer.tar", {"/thing": program})
    write_image(tmp_path / "image.tar", CONFIG, tmp_path / "layer.tar")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
