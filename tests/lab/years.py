"""The years after the first day, as rows of docs/reliability.md: what clients saw of whole changes of a site.

Tests of several suites note their rows here, each under a name of its own.
"""

from __future__ import annotations

from provision.traffic.receipt import Receipt
from tests.lab.faults.record import Book, Row

TABLE = "years"
UPGRADE = "Kubernetes 1.34 becomes 1.35"
UPGRADE_BACK = "Kubernetes 1.35 goes back to 1.34"
UPGRADE_CUT = "an upgrade whose controller is killed in each step"
UPGRADE_OFF = "an upgrade in which a node's power is cut"
MEMBER_JOINS = "a third member joins etcd"
MEMBER_LOST = "an etcd member has lost its disk"
ETCD_LOST = "all members of etcd have lost their data"
ETCD_FULL = "etcd has run full"
MIXED = "a site of Debian 12 and Debian 13 is changed"
NODE_ADDED = "a node is added"
NODE_DELETED = "a Node is deleted by hand"
REINSTALLED = "a node has a new disk"
FORBIDDEN = "a node leaves, and a budget forbids an eviction"
NODE_LEAVES = "a node leaves the group"
DEAD_LEAVES = "a dead node leaves the inventory"
HOSTS = (NODE_ADDED, NODE_DELETED, REINSTALLED, FORBIDDEN, NODE_LEAVES, DEAD_LEAVES)
UPGRADES = (UPGRADE, UPGRADE_BACK, UPGRADE_CUT, UPGRADE_OFF)
ROWS = (*UPGRADES, MEMBER_JOINS, MEMBER_LOST, ETCD_LOST, ETCD_FULL, MIXED, *HOSTS)


def note(name: str, command: str, receipt: Receipt | str, after: str) -> None:
    """Writes a row down: what was typed, what clients saw meanwhile (or why nobody asked), what was left."""
    assert name in ROWS, name
    cells = {"asked": command, "clients": str(receipt), "after": after}
    Book.read().write(Row(TABLE, name, cells))
