"""What a lab adds to the inventory it was started from, as a second inventory source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from lab import keys
from lab.state import Lab
from lab.suites import BOOKWORM, apt_repository
from lab.topology import MACHINE_GROUP, Topology
from provision.atomic import replace_file

DEFAULT_URL = "http://10.4.7.200"  # the artefacts name the course's ops host; other sites have their own
# Functions and variables as earlier versions wrote them down.
RENAMED = {
    "lab.outsider:on_ops_host": "lab.ops_host:on_ops_host",
    "\n    dial: ": "\n    hdss7_dial: ",
    "\n    known_hosts: ": "\n    hdss7_known_hosts: ",
    "\n    outsider: ": "\n    hdss7_ops_host: ",
}
HEAD = "# Written by lab.up: what this lab is, and what its ops host serves. Read after the inventory itself.\n"


def variables(lab: Lab, topology: Topology, served: Mapping[str, Any]) -> dict[str, Any]:
    """The lab's variables: how to reach and to trust its hosts, and what they may fetch (`served`)."""
    return {
        "lab": lab.name,
        "hdss7_dial": f"lab.network:dial {lab.name}",
        "hdss7_ops_host": f"lab.ops_host:on_ops_host {lab.name}",
        "ansible_ssh_private_key_file": str(keys.client_key(lab.keys)),
        "hdss7_known_hosts": str(keys.known_hosts(lab.keys)),
        "pki_directory": str(lab.directory / "pki"),
        "ops_url": f"http://{topology.ops.address}",
        **served,
    }


def write(lab: Lab, topology: Topology, served: Mapping[str, Any]) -> None:
    """Replace the lab's inventory file as a whole."""
    facts: dict[str, Any] = {"vars": variables(lab, topology, served)}
    machines = {host.name: {"ansible_host": host.address} for host in topology.hosts if host.virtual}
    if machines:  # `lab.up --vm` made them hosts of this lab; the inventory itself knows of none
        facts["children"] = {MACHINE_GROUP: {"hosts": machines}}
    others = {host.name: host.suite for host in topology.booted if host.suite != BOOKWORM}
    if served and others:
        facts["hosts"] = {
            name: {"apt_repository": apt_repository(DEFAULT_URL, suite)} for name, suite in others.items()
        }
    text = HEAD + yaml.safe_dump({"all": facts}, sort_keys=False).replace(DEFAULT_URL, f"http://{topology.ops.address}")
    replace_file(lab.inventory, text)


def renew(lab: Lab) -> bool:
    """Update the file of a lab that an earlier version started. Returns whether it names all that hosts fetch.

    The file must exist.
    """
    text = lab.inventory.read_text()
    renewed = text
    for old, new in RENAMED.items():
        renewed = renewed.replace(old, new)
    if renewed != text:
        replace_file(lab.inventory, renewed)
    return "binaries" in yaml.safe_load(renewed)["all"]["vars"]
