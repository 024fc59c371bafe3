"""containerd: what it is told, and the images that are there before a pod asks."""

from __future__ import annotations

import tomllib

from tests.unit.conftest import IMAGES, Declared

CRI = "io.containerd.grpc.v1.cri"


def test_its_configuration_is_toml_with_the_settings_in_it(declared: Declared) -> None:
    config = tomllib.loads(declared("hdss7-21", "containerd")["File /etc/containerd/config.toml"].content.decode())
    cri = config["plugins"][CRI]
    assert cri["sandbox_image"] == "lab.local/pause:1"
    assert cri["restrict_oom_score_adj"] is True  # the lab's; not a default
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert "io.containerd.snapshotter.v1.zfs" in config["disabled_plugins"]


def test_images_with_an_archive_are_imported(declared: Declared) -> None:
    here = {key for key in declared("hdss7-22", "containerd") if key.startswith("Image ")}
    assert here == {f"Image lab.local/{name}:1" for name in IMAGES}
    public = '{"site": {"images": {"echo": {"name": "registry.example/echo:1"}}}}'
    assert not [key for key in declared("hdss7-22", "containerd", public) if key.startswith("Image ")]


def test_beside_dockers_packages_the_error_says_what_to_set(declared: Declared) -> None:
    package = declared("hdss7-21", "containerd")["Package containerd"]
    assert "containerd.package: containerd.io" in package.on_conflict
