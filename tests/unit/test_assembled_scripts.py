"""What runs on hosts, put together as it travels there, is clean under shellcheck: every role of the lab's site, every
mode of kube-proxy. Files of sh alone are checked by `make lint`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provision.facts.question import ask
from provision.history.journal import About, Journal
from provision.inventory import Inventory
from provision.inventory.settings import SITE
from provision.plan.plan import Declaration, Item, questions
from provision.playbook import plays
from provision.playbook.roles import Roles
from provision.remote.lock import Holder
from provision.remote.shell import function
from provision.resources import File
from provision.resources.base import Action, Change
from provision.resources.configset.drain import Drainer
from provision.resources.optional.confirmable import confirm_step
from provision.resources.optional.explainable import evidence_for
from provision.resources.optional.removable import removal_of
from provision.resources.optional.sensitive import contents_of
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT

MODES = ("iptables", "ipvs", "nftables")
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22", "hdss7-23")
EDGES = ("hdss7-11", "hdss7-12")  # of inventory/lab-ha
# What is not wrong in a script that was put together: it sets arguments and variables that only some of its lines use,
# defines functions that another part calls, runs parts in subshells and carries data in single quotes. Debian's sh
# knows how to compare texts.
ALLOWED = "SC2016,SC2030,SC2031,SC2034,SC2119,SC2120,SC2153,SC2234,SC2317,SC2329,SC3012"
SHELLCHECK = [str(Path(sys.executable).with_name("shellcheck")), "--shell=sh", f"--exclude={ALLOWED}", "--format=gcc"]


@pytest.fixture
def site(facts: Path) -> Mapping[tuple[str, str], tuple[Declaration, ...]]:
    """(mode, host) -> what the lab's site declares there, and the one with two edges."""
    roles, written = Roles(SearchPath.of(ROOT)), plays.load(ROOT / "site.yml")
    found = {}
    for mode in MODES:
        extra = [f'{{"kube_proxy": {{"mode": "{mode}", "scheduler": ""}}}}']
        sources = [ROOT / "inventory/lab", ROOT / "inventory/lab-vm", facts]
        inventory = Inventory.load(sources, extra, namespaces=frozenset((*roles.names(), SITE)))
        roles.prepare(inventory, written)
        for host in HOSTS:
            found[mode, host] = tuple(roles.declare(inventory.host(host), written))
    inventory = Inventory.load([ROOT / "inventory/lab-ha", facts], namespaces=frozenset((*roles.names(), SITE)))
    roles.prepare(inventory, written)
    for host in EDGES:
        found["two edges", host] = tuple(roles.declare(inventory.host(host), written))
    return found


def probes(declarations: tuple[Declaration, ...]) -> Iterator[str]:
    """The one script that asks a host everything, and the one that asks what a plan shows."""
    yield ask(questions(declarations), "mark").script
    shown = dict.fromkeys(q for d in declarations for q in evidence_for(d.resource, change(Action.UPDATE)))
    yield ask(shown, "mark").script


def steps(declaration: Declaration) -> Iterator[str]:
    """What a deploy may run for one resource: the change, its confirmation, a drain, its removal."""
    resource, made = declaration.resource, change(Action.UPDATE)
    yield resource.fix(made).script
    if confirm := confirm_step(resource, made):
        yield confirm.script
    if isinstance(resource, Drainer) and resource.drainable:
        yield resource.set_drained({sorted(resource.drainable)[0]: "2026-01-02T03-04-05"}).script
    if removal := removal_of(resource):
        yield removal.fix(change(Action.REMOVE)).script


def installed(declarations: Iterable[Declaration]) -> Iterator[str]:
    """The scripts that a deploy writes to hosts, as rendered there."""
    files = (d.resource for d in declarations if isinstance(d.resource, File))
    yield from (text for file in files if (text := contents_of(file)[0].decode()).startswith("#!/bin/sh"))


def journaled(declarations: Iterable[Declaration]) -> Iterator[str]:
    """The change of one resource of each kind as it travels: written down before and after."""
    journal = Journal(Holder("somebody@somewhere", datetime(2026, 1, 2, tzinfo=UTC), "deploy"), About(), {})
    for declaration in {type(d.resource): d for d in declarations}.values():
        made = change(Action.UPDATE)
        yield journal.around(declaration.resource.fix(made), Item(declaration, made), ("edge.keepalive",)).script
    yield journal.end().script


def change(action: Action) -> Change:
    return Change(action, "what differs", parts=frozenset({"content", "attributes"}))


def test_the_scripts_of_the_lab_site_pass_shellcheck(
    site: Mapping[tuple[str, str], tuple[Declaration, ...]], tmp_path: Path
) -> None:
    declarations = [declaration for found in site.values() for declaration in found]
    changes = dict.fromkeys(script for declaration in declarations for script in steps(declaration))
    assert len(changes) > 150
    whole = [script for found in site.values() for script in probes(found)]
    written = dict.fromkeys(installed(declarations))
    assert len(written) > 20
    together = "".join(function(f"step_{number}", script) for number, script in enumerate(changes))
    assert shellcheck([*whole, *written, *journaled(declarations), together], tmp_path) == ""


def shellcheck(scripts: Iterable[str], folder: Path) -> str:
    """What it finds, a line each, '' when nothing."""
    files = []
    for number, script in enumerate(dict.fromkeys(scripts)):
        files.append(folder / f"{number}.sh")
        files[-1].write_text(script)
    return subprocess.run([*SHELLCHECK, *files], capture_output=True, text=True, check=False).stdout
