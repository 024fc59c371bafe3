"""bundlewrap over the system's ssh with a ControlMaster that the run itself starts."""

from __future__ import annotations

import pprint
import shlex
from collections.abc import Sequence
from pathlib import Path

from bench.peers.contestant import Contestant, Hosts, installed
from bench.peers.workload import (
    ASK,
    GREETING,
    PACKAGES,
    START,
    TEMPLATES,
    UNIT,
    Action,
    folder,
    source,
    target,
    write_files,
    write_templates,
)

NAME = "bundlewrap"
BUNDLE = "peers"
ANSWER = "PEERS_ANSWER"  # the variable of the environment that holds `answer`: bw takes none on its command line
ITEMS = """\
import os

context = {{"greeting": {greeting!r}, "answer": os.environ[{variable!r}]}}
files = {{
    path: {{
        "source": source,
        "content_type": "jinja2",
        "context": {{**context, "number": number}},
        "owner": "root",
        "group": "root",
        "mode": "0644",
    }}
    for number, source, path in {files}
}}
directories = {{{folder!r}: {{"owner": "root", "group": "root", "mode": "0755"}}}}
pkg_apt = {packages!r}
svc_systemd = {{{unit!r}: {{"running": True, "enabled": True}}}}
actions = {{"programs": {{"command": {start!r}, "unless": {ask!r}}}}}
"""


def bundlewrap(work: Path, hosts: Hosts) -> Contestant:
    """A repository with one bundle."""
    place = work / NAME
    sockets = work / f"cp-{NAME}"
    sockets.mkdir()
    # its environment of Jinja cuts the last newline off
    write_templates(place / f"bundles/{BUNDLE}/files", end="\n")
    write_files(
        place, {"nodes.py": nodes(hosts), "groups.py": "groups = {}\n", f"bundles/{BUNDLE}/items.py": items(NAME)}
    )
    once = ("ControlMaster=auto", "ControlPersist=60s", f"ControlPath={sockets}/%C")
    options = shlex.join(["-F", str(hosts.ssh_config), *(word for option in once for word in ("-o", option))])
    environment = {"BW_SSH_ARGS": options, "BW_SCP_ARGS": options}
    command = str(installed(NAME) / "bw")

    def typed(action: Action, answer: str) -> Sequence[str]:
        verb = "verify" if action is Action.CHECK else "apply"
        return ["env", f"{ANSWER}={answer}", command, verb, "--no-diff", f"bundle:{BUNDLE}"]  # nor do the others

    return Contestant(NAME, "bundlewrap over a ControlMaster", typed, place, environment)


def nodes(hosts: Hosts) -> str:
    """The hosts, as bundlewrap's Python."""
    each = {
        name: {"hostname": address, "username": "root", "os": "debian", "os_version": (12,), "bundles": {BUNDLE}}
        for name, address in hosts.addresses.items()
    }
    return f"nodes = {pprint.pformat(each)}\n"


def items(name: str) -> str:
    """The common work as a bundle. name: whose folder on the hosts."""
    return ITEMS.format(
        greeting=GREETING,
        variable=ANSWER,
        files=[(number, source(number), target(name, number)) for number in TEMPLATES],
        folder=folder(name),
        packages={package: {} for package in PACKAGES},
        unit=UNIT,
        start=shlex.join(START),
        ask=shlex.join(ASK),
    )
