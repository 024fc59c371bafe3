"""What every host promises."""

from __future__ import annotations

import shlex
import time
import xmlrpc.client
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from provision.resources import Download, Resource
from provision.verify.checks import Checking, Node, NotHere, check, gather
from roles.base import KUBERNETES, SUPERVISED

if TYPE_CHECKING:
    from roles._site import SiteSettings

SOCKET = "/run/supervisor.sock"
CLOCKS_APART = 120.0  # seconds; an answer may have waited a minute for the others of its host
RUNNING = 20  # supervisord.org/subprocess.html
# what supervisorctl asks, without the third of a second that it takes to start
PROGRAMS = (
    f"curl -sS -m 5 --unix-socket {SOCKET} -H 'Content-Type: text/xml' http://localhost/RPC2 "
    "-d '<methodCall><methodName>supervisor.getAllProcessInfo</methodName></methodCall>'"
)


@check
def test_neighbours(node: Node, site: SiteSettings) -> Checking:
    """every host of the site is known by its name"""
    if not site.managed:
        raise NotHere("the site had names of its own before")
    hosts = node.host.inventory.hosts
    names = {h.name if "." in h.name else f"{h.name}.{site.host_domain}": h.address for h in hosts}
    answers = yield from gather(node.sh(f"getent ahostsv4 {name}") for name in names)
    found = {name: answer.text.partition(" ")[0] for name, answer in zip(names, answers, strict=True)}
    wrong = [
        f"{name} leads to {found[name] or 'nothing'} and not to {names[name]}"
        for name in names
        if found[name] != names[name]
    ]
    assert not wrong, "; ".join(wrong)


@check
def test_clock(node: Node) -> Checking:
    """its clock is right"""
    answer = yield node.sh("date +%s")
    apart = float(answer.text) - time.time()
    way = "ahead of" if apart > 0 else "behind"
    assert abs(apart) < CLOCKS_APART, f"{abs(apart) / 60:.0f} min {way} this machine's: certificates may look void"


@check
def test_packages_can_be_installed(node: Node) -> Checking:
    """no package is half installed"""
    answer = yield node.sh("dpkg --audit")
    assert answer.ok, f"dpkg --audit says {answer}"
    assert not answer.text, f"dpkg --audit says {answer}"


@pytest.mark.deep
@check
def test_downloads(node: Node, declared: Sequence[Resource]) -> Checking:
    """every downloaded file is what was declared, to the last byte"""
    # a deploy compares size, times and inode: it can't see a disk that forgets
    wanted = {r.path: r.sha256 for r in declared if isinstance(r, Download)}
    if not wanted:
        raise NotHere("nothing was downloaded to it")
    answer = yield node.sh(f"sha256sum -- {shlex.join(wanted)}", 300)
    found = {path: digest for digest, _, path in (line.partition("  ") for line in answer.lines)}
    wrong = [f"{path} is {found.get(path, 'not there')}" for path in wanted if found.get(path) != wanted[path]]
    assert not wrong, "; ".join(wrong)


@pytest.mark.gate
@check
def test_programs_under_supervisord(node: Node, site: SiteSettings) -> Checking:
    """every program under supervisord runs"""
    answer = yield node.sh(f"[ -e {SOCKET} ] || exit 99; {PROGRAMS}")
    wanted = (SUPERVISED if site.managed else KUBERNETES) & set(node.host.groups)
    if answer.code == 99 and not wanted:
        raise NotHere("it has no supervisord")
    assert answer.ok, f"supervisord gave {answer}"
    programs: Any = xmlrpc.client.loads(answer.text)[0][0]
    assert programs or not wanted, "supervisord has no program"  # a host that left its groups keeps supervisord
    stopped = [p for p in programs if p["state"] != RUNNING]
    wrong = [f"{p['name']} is {p['statename']}: {p['spawnerr'] or p['description']}" for p in stopped]
    assert not wrong, "; ".join(wrong)


def test_ssh_server(host: Any) -> None:
    """sshd runs and comes back after a reboot"""
    service = host.service("ssh")
    assert service.is_running, "the unit ssh is not running"
    assert service.is_enabled, "the unit ssh is not enabled"
