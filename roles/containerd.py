"""The container runtime, and the images that come from an archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Once, Rolled
from provision.inventory.types import ImageReference, PackageName, PluginName
from provision.resources import After, Directory, File, FixedSetting, Image, Package, Resource, Service, Template
from roles._fixed import in_file

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

CONFIG = "/etc/containerd/config.toml"
DOCKER = "If Docker's packages are on the host, set containerd.package: containerd.io, which is theirs"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the containerd role, all under `containerd:`. The defaults fit systemd with cgroup v2."""

    package: Rolled[PackageName] = "containerd"  # what brings containerd
    systemd_cgroup: Once[bool] = True  # as kubelet.cgroup_driver
    snapshotter: Once[PluginName] = "overlayfs"  # where images and containers keep their files
    pause: Rolled[ImageReference] = "registry.k8s.io/pause:3.10"  # unless site.images has a `pause`
    disabled_plugins: Rolled[tuple[PluginName, ...]] = ()  # what this kernel or disk lacks
    disable_apparmor: Rolled[bool] = False  # for a kernel without it
    restrict_oom_score_adj: Rolled[bool] = False  # for a containerd that may not lower it
    disable_hugetlb_controller: Rolled[bool] = True  # for control groups without it


def containerd(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """Package, configuration, service; every image of the site that has a URL, before a pod asks for it."""
    if not site.managed:
        return
    yield from _fixed(host, settings)
    package = Package(names=(settings.package,), on_conflict=DOCKER)
    yield package
    yield Directory(path="/etc/containerd")
    pause = site.images["pause"].name if "pause" in site.images else settings.pause
    config = File(path=CONFIG, content=Template("containerd/config.toml.j2", pause=pause))
    yield config
    yield Service(
        name="containerd", executable="/usr/bin/containerd", restart_on=(package, config), ready="ctr version"
    )
    for image in site.images.values():
        if image.url:
            yield Image(name=image.name, url=image.url, sha256=image.sha256)


def _fixed(host: Host, settings: Settings) -> Iterator[FixedSetting]:
    """What containers that run were made with."""
    known = {
        "containerd.snapshotter": (settings.snapshotter, After("^ *snapshotter = ")),
        "containerd.systemd_cgroup": (settings.systemd_cgroup, After("^ *SystemdCgroup = ")),
    }
    for setting, (value, where) in known.items():
        yield in_file(host, setting, value, CONFIG, where, ours=True)
