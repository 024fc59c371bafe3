"""`etcd.backup`: a snapshot of etcd on the controller, checked against what the member said of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hdss7.etcd.cluster import Cluster, cluster
from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report import text
from provision.errors import Exit, FailedError, ProvisionError
from provision.remote.connection import Session
from provision.remote.fetch import fetch
from provision.remote.host import RemoteHost
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, quote
from provision.spelling import listed
from provision.usage import usage

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._snapshots import Snapshot

SCRIPTS = Scripts(__file__)
ON_HOST = "/var/backups/etcd/fetched.db"
SECONDS = 300.0


@dataclass(frozen=True)
class Taken:
    """A snapshot that is on the controller now. removed: older ones that it made superfluous."""

    path: Path
    snapshot: Snapshot
    size: int
    keys: int
    host: str
    removed: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        """Its part of `--json`."""
        return {
            "file": str(self.path),
            "host": self.host,
            "taken": self.snapshot.taken.isoformat(),
            "revision": self.snapshot.revision,
            "hash": f"{self.snapshot.hash:08x}",
            "size": self.size,
            "keys": self.keys,
            "removed": list(self.removed),
        }

    def __str__(self) -> str:
        kept = f"; removed: {listed(self.removed, 3)}" if self.removed else ""
        return (
            f"{self.path}: {self.size / 1e6:.1f} MB, revision {self.snapshot.revision}, hash {self.snapshot.hash:08x}, "
            f"{text.number(self.keys, 'key')}, from {self.host}{kept}"
        )


def backup(options: Options) -> int:
    """Take a snapshot from the first member that gives one, check it, keep it beside the site's keys."""
    opened, selection = open_project(options), options.selection()
    site = cluster(opened.project, options)
    opened.check_up()
    refusals: list[ProvisionError] = []
    for member in site.members:
        remote = RemoteHost(opened.project.login(member, selection))
        try:
            return _report(_take(site, member, remote.session()), refusals, options)
        except ProvisionError as error:
            refusals.append(error.at(host=member.name))
        finally:
            remote.close()
    raise refusals[0]


def _take(site: Cluster, member: Host, session: Session) -> Taken:
    from roles import etcd
    from roles._snapshots import Snapshot, surplus

    url = f"https://127.0.0.1:{etcd.CLIENT_PORT}"
    result = session.run(Step(SCRIPTS.call("take_snapshot", FILE=ON_HOST, URL=url, CERT=etcd.CERT), timeout=SECONDS))
    try:
        if result.code:
            raise FailedError(
                "this member of etcd gave no snapshot",
                found=result.errors.splitlines()[-1] if result.errors else f"exit {result.code}",
                do=f"Look at its log, and at {usage('verify -k etcd')}",
            )
        size, sha256, status = result.output.splitlines()[:3]
        said, now = json.loads(status), datetime.now(UTC)
        snapshot = Snapshot(now, said["revision"], said["hash"])
        _fetch(session, sha256, int(size), site.snapshots / snapshot.name)
    finally:
        session.run(Step(f"rm -f {quote(ON_HOST)}\n"))
    settings = site.settings(member)
    names = (path.name for path in site.snapshots.iterdir())
    removed = surplus(names, settings.snapshots, settings.snapshot_days, now)
    for name in removed:
        (site.snapshots / name).unlink(missing_ok=True)
    return Taken(site.snapshots / snapshot.name, snapshot, int(size), said["totalKey"], member.name, removed)


def _fetch(session: Session, sha256: str, size: int, path: Path) -> None:
    from roles._snapshots import check

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fetch(session, ON_HOST, sha256, size, path)
    except OSError as error:
        raise FailedError(
            f"the snapshot could not be written to {path.parent}",
            found=error.strerror or str(error),
            do="Give this user write access to the folder, and room on its disk",
        ) from None
    check(path)


def _report(taken: Taken, refusals: Sequence[ProvisionError], options: Options) -> int:
    for paragraph in text.paragraphs(error.explanation for error in refusals):
        print(paragraph, file=sys.stderr)
    print(f"etcd.backup: {taken}", file=sys.stderr if options.json else sys.stdout)
    if options.json:
        from hdss7.report.json import encode

        print(encode({}, None, Exit.OK, snapshot=taken.as_dict()))
    return Exit.OK
