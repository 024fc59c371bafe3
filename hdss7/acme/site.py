"""The certificate of a site by ACME: whether it is due, and from where it is brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from provision.errors import FailedError
from provision.inventory.settings import SITE
from provision.project import Project, Selection
from provision.remote.host import RemoteHost
from provision.remote.protocol import Step
from provision.remote.shell import Scripts
from provision.usage import usage

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._acme import Wanted
    from roles._acme_folder import Folder
    from roles._site import SiteSettings
    from roles.edge import Settings

SCRIPTS = Scripts(__file__)
KEY = b"-----BEGIN PRIVATE KEY-----"  # each file of an edge begins with one


@dataclass(frozen=True)
class Acme:
    """What is ordered for a site, and where it is kept. first: the edge whose settings these are."""

    project: Project
    selection: Selection
    first: Host
    site: SiteSettings
    settings: Settings
    wanted: Wanted
    folder: Folder

    def why(self, now: datetime) -> str:
        """Why a certificate has to be ordered, by what is on the controller; '' when it has not."""
        from roles import _acme

        return _acme.why_due(self.folder.certificate(self.wanted.directory), self.wanted, now)

    def bring(self, now: datetime) -> str:
        """Gets a certificate: from an edge that has one which is not due, else by an order. Says from where.

        Raises FailedError with what the server said, and for an order that would come too early.
        """
        with self.folder.locked():
            if pem := self._live(now):
                self.folder.keep(self.wanted, pem)
                return f"taken over from {self.first.name}, for which another controller has ordered it"
            self._check_patience(now)
            self.folder.keep(self.wanted, self._ordered(now))
            return f"issued by {self.wanted.directory}"

    def _live(self, now: datetime) -> bytes | None:
        """A certificate that the edge has and this controller has not, by another controller; the youngest of several.

        One that is due or of the edge's own CA is none.
        """
        from roles import _acme, _edge_tls

        own = _edge_tls.store(self.project.inventory, self.site).certificate(f"ca-{self.site.domain}")
        with _hosts(self, (self.first,)) as (host,):
            found = host.session().run(Step(SCRIPTS.call("live", _edge_tls.folder(self.site.domain)))).output
        every = (KEY + each for each in found.encode().split(KEY)[1:])
        others = (each for each in every if each.split() != (self.folder.certificate() or b"").split())
        usable = (each for each in others if not _acme.why_due(each, self.wanted, now))
        return next((each for each in usable if not _acme.issued_by(each, own)), None)

    def _ordered(self, now: datetime) -> bytes:
        from hdss7.acme import order, problems
        from hdss7.acme.records import DnsRecords
        from roles._acme_folder import Failure

        authority = self._authority()
        with (
            order.server(self.wanted, self.folder.account(self.wanted.directory), authority) as server,
            _hosts(self, self.first.group("dns")) as hosts,
        ):
            try:
                return server.order(DnsRecords(hosts, self.wanted.domain))
            except problems.FAILURES as error:
                found = problems.problem(error, server.network.retry_after, now)
        asked = self.wanted
        if found.again:
            failure = Failure(asked.directory, asked.contact, asked.names, found.type, found.detail, found.again)
            self.folder.fail(failure)
        raise self._refused(str(found), found.again)

    def _authority(self) -> bytes:
        from roles import _edge_tls
        from roles._given import certificates

        written = self.settings.tls.directory_authority
        if not written:
            return b""
        found = certificates(self.first, ("edge", "tls", "directory_authority"), written)
        return b"".join(map(_edge_tls.pem, found))

    def _check_patience(self, now: datetime) -> None:
        last = self.folder.failure()
        if last and last.holds(self.wanted, now):
            said = f"{last.type}: {last.detail}" if last.type else last.detail
            raise self._refused(f"It was not asked again: the last time it said {said}", last.again)

    def _refused(self, found: str, again: datetime | None) -> FailedError:
        when = f"then try again from {again:%Y-%m-%d %H:%M} UTC on" if again else "then try again"
        return FailedError(
            f"{self.wanted.directory} issued no certificate for {', '.join(self.wanted.names)}",
            role="edge",
            line=self.first.origin("edge", "tls", "directory") or self.first.origin("edge", "tls", "source"),
            found=found,
            do=f"The site keeps the certificate that it has. Correct what is named, {when}: {usage('certs.renew')}",
        )


def acme(project: Project, selection: Selection) -> Acme | None:
    """What is ordered for the site; None where its certificates come from elsewhere."""
    from roles import _acme, _edge_tls  # importable once a project is open, for it may be the project's own
    from roles._cluster import members

    edges = members(project.inventory.hosts[0], "edge") if project.inventory.hosts else ()
    if not edges:
        return None
    settings: Settings = project.roles.settings(edges[0], "edge")
    if settings.tls.source != "acme":
        return None
    _acme.check(edges[0], settings.tls)
    site: SiteSettings = project.roles.settings(edges[0], SITE)
    wanted = _edge_tls.wanted(edges[0], site, settings.tls, settings.sites)
    folder = _edge_tls.acme_folder(project.inventory, site)
    return Acme(project, selection, edges[0], site, settings, wanted, folder)


@contextmanager
def _hosts(found: Acme, hosts: Sequence[Host]) -> Iterator[list[RemoteHost]]:
    remotes = [RemoteHost(found.project.login(host, found.selection)) for host in hosts]
    try:
        yield remotes
    finally:
        for each in remotes:
            each.close()
