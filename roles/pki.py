"""The cluster's certificates: made on the controller; every host of the cluster trusts the same CA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from provision.inventory.changes import Free, Rolled
from provision.inventory.types import Positive
from provision.resources import Pending, Resource
from roles._certificates import every, store, trusted
from roles._lifetimes import authorities, authority_note
from roles._networks import check_networks
from roles._rotation import check_same

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory
    from roles._site import SiteSettings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Variables of the pki role, all under `pki:`."""

    days: Free[Positive] = 365  # life of a certificate; a deploy in its last third makes a new one
    rotate: Rolled[Literal["", "trust", "issue", "distrust"]] = ""  # the step of the CAs' replacement; '': none


def prepare(inventory: Inventory, site: SiteSettings, settings: Settings) -> bool:
    """Makes keys and certificates that are missing, due or no longer right; whether there were any.

    Raises InputError, FailedError.
    """
    if not site.managed:
        return False
    check_networks(inventory.hosts[0], site)
    check_same(inventory)
    keys = store(inventory, site)
    unsigned = any(isinstance(key, Pending) for key in keys.service_accounts())
    return bool(keys.renew(every(inventory, site), settings.days)) or unsigned


def notes(inventory: Inventory, site: SiteSettings, settings: Settings) -> Iterator[str]:
    """The CAs that end within a year: no deploy renews them. Raises InputError for settings that contradict."""
    if site.managed:
        check_same(inventory)
        keys = store(inventory, site)
        yield from filter(None, (authority_note(each, keys.now) for each in authorities(keys, every(inventory, site))))


def pki(host: Host, site: SiteSettings, settings: Settings) -> Iterator[Resource]:
    """The CA's certificate where programs of Kubernetes read it. What else a program reads, its own role puts there."""
    if not site.managed:
        return
    check_networks(host, site)
    store(host.inventory, site).check(every(host.inventory, site))
    if {"masters", "nodes"} & set(host.groups):
        yield trusted(host, site)
