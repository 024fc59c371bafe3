"""A fault of the catalogue: how it is made on a lab, how it is undone, and what a trace must say of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import yaml

from provision.decoding import convert
from urltrace.finding import Hop

FOLDER = Path(__file__).parent
CLIENT = "client"  # the place of a fault that is none of a host's: where clients are
DEMO = "http://demo.od.com/"


class Says(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a trace must say. cause: one of these. words: part of the sentence that names the object.

    latent: the URL answers all the same, and the fault stands among what else is wrong.
    """

    hop: Hop
    cause: tuple[str, ...]
    words: str
    latent: bool = False


class Elsewhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The other half of a fault, on another host."""

    host: str
    inject: str
    undo: str


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault of the default lab.

    what: in a few words. host: where both scripts run, or `client`. inject, undo: scripts of sh, with the functions of
    sh/fault.sh; undo is right also where inject did nothing. apply: objects, deleted again after `undo`. pod: a program
    of Python that is the only pod behind demo. until: a script that fails until the fault has its effect. power: the
    host is switched off meanwhile. cable: the scripts are run by programs of this machine in the host's network: a host
    may have none of its own. says: None when the site is well in spite of it. unasked: hosts that can't be asked.
    never: causes that would be a false lead.
    """

    name: str
    what: str
    host: str
    says: Says | None
    inject: str = "true"
    undo: str = "true"
    apply: str = ""
    pod: str = ""
    elsewhere: Elsewhere | None = None
    until: str = ""
    power: bool = False
    cable: bool = False
    url: str = DEMO
    method: str = "GET"
    headers: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two faults at once. A trace names the first of the path, and goes on to the second."""

    first: str
    second: str

    @property
    def name(self) -> str:
        return f"{self.first}+{self.second}"


@cache
def faults() -> tuple[Fault, ...]:
    """Every fault, in the order of the path. Raises msgspec.ValidationError."""
    names = ("name", "edge", "link", "node", "traefik", "service", "pod", "control")
    texts = (yaml.safe_load((FOLDER / f"{name}.yml").read_text()) for name in names)
    return tuple(fault for text in texts for fault in convert(text, tuple[Fault, ...]))


@cache
def pairs() -> tuple[Pair, ...]:
    """Faults that are made together."""
    return convert(yaml.safe_load((FOLDER / "pairs.yml").read_text()), tuple[Pair, ...])


def named(name: str) -> Fault:
    """The fault of that name. Raises StopIteration."""
    return next(fault for fault in faults() if fault.name == name)
