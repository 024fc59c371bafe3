"""etcd, where the API servers keep every object: sh for a snapshot of it."""

from __future__ import annotations

from collections.abc import Sequence

from provision.remote.shell import Scripts

SCRIPTS = Scripts(__file__)


def snapshot(file: str, members: Sequence[str], certificates: str) -> str:
    """sh that saves a snapshot to `file` (0600, below a folder 0700), from the first member that gives one.

    members: URLs. certificates: the folder with ca.pem, client.pem and client-key.pem. etcdctl is needed.
    """
    return SCRIPTS.call("etcd_snapshot", *members, FILE=file, CERT=certificates)
