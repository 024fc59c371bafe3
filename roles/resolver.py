"""Who a host asks for names: bind on the hosts of group dns, once it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from provision.inventory.changes import Free
from provision.inventory.types import AnyAddress
from provision.resources import File, Resource, Template

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the resolver role, all under `resolver:`."""

    servers: Free[tuple[AnyAddress, ...]] = ()  # (): the addresses of group dns
    enabled: Free[bool] = True  # False: /etc/resolv.conf is left alone


def resolver(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """/etc/resolv.conf. A role of its own in a later play than bind's: packages are fetched by name before that."""
    servers = settings.servers or tuple(h.address for h in host.group("dns"))
    if settings.enabled:
        yield File(path="/etc/resolv.conf", content=Template("resolver/resolv.conf.j2", servers=servers))
