"""What a small host is: a package that is there, a folder of files, one of them made by a template, and a link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import Natural, Text
from provision.resources import Directory, File, Package, Symlink, Template
from provision.resources.base import Resource


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the small role."""

    greeting: Free[Text] = "hello"  # a line of each file
    files: Free[Natural] = 12  # how many there are


def small(host: Any, site: Any, settings: Settings) -> Iterator[Resource]:
    """Some files below /etc/small, and what stands beside them."""
    yield Package(names=("openssh-server",))
    yield Directory(path="/etc/small", mode="0755")
    for number in range(settings.files):
        yield File(path=f"/etc/small/{number:02}.conf", content=f"# {number}\n{settings.greeting}\n", mode="0644")
    yield File(path="/etc/small/site.conf", content=Template("small/site.conf.j2"), mode="0644")
    yield Symlink(path="/etc/small/current", target="site.conf")
