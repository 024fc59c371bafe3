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
ROWS = (UPGRADE, UPGRADE_BACK, UPGRADE_CUT, UPGRADE_OFF, MEMBER_JOINS, MEMBER_LOST, ETCD_LOST, ETCD_FULL, MIXED)


def note(name: str, command: str, receipt: Receipt, after: str) -> None:
    """Writes a row down: what was typed, what clients saw meanwhile, what stood there afterwards."""
    assert name in ROWS, name
    cells = {"asked": command, "clients": str(receipt), "after": after}
    Book.read().write(Row(TABLE, name, cells))
