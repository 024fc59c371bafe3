"""Container images written by hand: an OCI layout in a tar, for `ctr images import`; no daemon, no registry.

Deterministic: the same input gives the same bytes, so an image's sha256 says whether a host has it already.
Source: OCI image-spec 1.0 (image-layout.md, manifest.md, config.md); containerd names the image after the
annotation io.containerd.image.name.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEDIA = "application/vnd.oci.image."
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FOLDERS = ("dev", "etc", "proc", "run", "sys", "tmp")
USERS = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"


@dataclass(frozen=True)
class Config:
    """What runs in a container of the image. name: `lab.local/NAME:TAG`, as pods and containerd call it."""

    name: str
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()


def write_layer(target: Path, programs: dict[str, Path]) -> None:
    """Write a layer tar of these programs (path in the image -> file here) and the few standard folders.

    Raises OSError when a file can't be read or the disk is full.
    """
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        _add_bytes(tar, "etc/passwd", USERS.encode())
        for inside, source in sorted(programs.items()):
            info = tarfile.TarInfo(inside.lstrip("/"))
            info.mode, info.size = 0o755, source.stat().st_size
            with source.open("rb") as file:
                tar.addfile(info, file)


def write_image(target: Path, config: Config, layer: Path) -> None:
    """Write the archive of a one-layer image; `layer` is an uncompressed tar, never held in memory."""
    with layer.open("rb") as file:
        layer_digest = hashlib.file_digest(file, "sha256").hexdigest()
    description = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": list(config.entrypoint) or None,
                "Cmd": list(config.command) or None,
                "Env": [PATH],
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}manifest.v1+json",
            "config": _descriptor("config.v1+json", _digest(description), len(description)),
            "layers": [_descriptor("layer.v1.tar", layer_digest, layer.stat().st_size)],
        }
    )
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        _add_bytes(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add_bytes(tar, "index.json", _index(config.name, manifest))
        for blob in (manifest, description):
            _add_bytes(tar, f"blobs/sha256/{_digest(blob)}", blob)
        info = tarfile.TarInfo(f"blobs/sha256/{layer_digest}")
        info.size = layer.stat().st_size
        with layer.open("rb") as file:
            tar.addfile(info, file)


def _index(name: str, manifest: bytes) -> bytes:
    entry = _descriptor("manifest.v1+json", _digest(manifest), len(manifest)) | {
        "platform": {"architecture": "amd64", "os": "linux"},
        "annotations": {
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": name.rpartition(":")[2],
        },
    }
    return _json({"schemaVersion": 2, "manifests": [entry]})


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": size}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
