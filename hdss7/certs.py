"""`certs`: every certificate of the site, on the controller and on hosts: whose it is, where it lies, when it ends."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report import text
from provision.errors import Exit, ProvisionError, UnreachableError, worst
from provision.facts.gather import answer
from provision.facts.host import ShellQuestion
from provision.inventory.settings import SITE
from provision.project import Project
from provision.remote.host import RemoteHost
from provision.remote.pool import HostPool, HostResult
from provision.spelling import listed
from provision.usage import usage

if TYPE_CHECKING:
    from roles._lifetimes import CertificateFile, Lifetime
    from roles._site import SiteSettings

CONTROLLER = "controller"
UNMANAGED = "certs: site.managed is false: whoever installed this cluster makes its certificates, none is listed"


@dataclass(frozen=True)
class Listing:
    """What was found. controller: in the pki folder; hosts: on each host, with the work that it took."""

    controller: tuple[Lifetime, ...]
    hosts: tuple[HostResult[RemoteHost, tuple[Lifetime, ...]], ...]
    now: datetime

    def every(self) -> Iterator[tuple[str, Lifetime]]:
        """(host, certificate) of all."""
        yield from ((CONTROLLER, each) for each in self.controller)
        yield from ((result.host.name, each) for result in self.hosts for each in result.value or ())

    @property
    def exit(self) -> Exit:
        """FAILED where `verify` would fail, and on a controller that has none yet."""
        urgent = any(each.urgent(self.now) for _, each in self.every())
        return worst([*(r.error.exit for r in self.hosts if r.error), Exit.FAILED if urgent else Exit.OK])


def certs(options: Options) -> int:
    """Read the certificates that roles put on hosts and those of the pki folder; keys are not read."""
    site = open_project(options)
    selection = options.selection()
    project, chosen = site.project, site.project.hosts(selection.limit)
    settings = project.roles.settings(project.inventory.hosts[0], SITE)
    now, folder = datetime.now(UTC), tuple(_in_folders(project))
    if not settings.managed and not _tls(project):
        return _unmanaged(options)
    from roles._lifetimes import certificate_files

    declared = ((host, _resources(project, host.name)) for host in chosen)
    files = {host: tuple(certificate_files(resources)) for host, resources in declared}
    remote = {RemoteHost(project.login(host, selection)): found for host, found in files.items() if found}
    site.check_up()
    results = HostPool(options.forks).for_each(tuple(remote), lambda host: _read(host, remote[host], now))
    return _report(Listing(folder, tuple(results), now), options)


def _in_folders(project: Project) -> Iterator[Lifetime]:
    """The certificates on the controller: of the cluster, and the edge's: by ACME or of its own CA."""
    from roles import _edge_tls  # importable once a project is open, for it may be the project's own
    from roles._certificates import every, store
    from roles._lifetimes import CertificateFile, in_folder

    inventory = project.inventory
    site: SiteSettings = project.roles.settings(inventory.hosts[0], SITE)
    if site.managed:
        yield from in_folder(store(inventory, site), every(inventory, site))
    if _tls(project) in ("own", "acme"):
        first = inventory.members("edge")[0]
        edge = project.roles.settings(first, "edge")
        if pem := _edge_tls.ordered(first, site, edge.tls, edge.sites):
            file = CertificateFile(str(_edge_tls.acme_folder(inventory, site).path), f"edge of {site.domain}")
            yield from file.lifetimes(pem.decode(), datetime.now(UTC))[:1]
        else:
            yield from in_folder(_edge_tls.store(inventory, site), [_edge_tls.own(first, site, edge.sites)])


def _tls(project: Project) -> str:
    """Where the edge's certificates come from: its `tls.source`, '' for none."""
    edges = project.inventory.members("edge") if "edge" in project.inventory.groups else ()
    return str(project.roles.settings(edges[0], "edge").tls.source) if edges else ""


def _resources(project: Project, host: str) -> tuple[Any, ...]:
    return tuple(declaration.resource for declaration in project.declared(host))


def _read(host: RemoteHost, files: Sequence[CertificateFile], now: datetime) -> tuple[Lifetime, ...]:
    """What the files of one host hold, in one exec."""
    questions = {file: ShellQuestion(file.read) for file in files}
    try:
        answers = answer(host.session(), questions.values())
    finally:
        host.close()
    return tuple(each for file, asked in questions.items() for each in file.lifetimes(answers[asked].output, now))


def _unmanaged(options: Options) -> int:
    print(UNMANAGED, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        from hdss7.report.json import encode

        print(encode({}, None, Exit.OK, controller=[]))
    return Exit.OK


def _report(listing: Listing, options: Options) -> int:
    """Prints the table, why hosts could not be asked, and the object of --json. Returns the exit code."""
    out = sys.stderr if options.json else sys.stdout
    for line in (*table(listing, verbose=bool(options.verbose)), *notes(listing), summary(listing)):
        print(line, file=out)
    sys.stdout.flush()
    errors = (replace(r.error.explanation, host=r.host.name) for r in listing.hosts if r.error)
    for paragraph in text.paragraphs(errors):
        print(paragraph, file=sys.stderr)
    if options.json:
        from hdss7.report.json import encode

        described = {result.host.name: _host(result, listing.now) for result in listing.hosts}
        folder = [_certificate(each, listing.now) for each in listing.controller]
        print(encode(described, None, listing.exit, controller=folder))
    return listing.exit


def table(listing: Listing, *, verbose: bool = False) -> list[str]:
    """A row for each certificate, what ends first at the top; one that several hosts hold alike is one row."""
    hosts: dict[Lifetime, list[str]] = {}
    for host, each in listing.every():
        hosts.setdefault(each, []).append(host)
    rows = [("certificate", "hosts", "file", "ends", "days", "state", "names")]
    for each in sorted(hosts, key=lambda each: (each.ends is not None, each.ends or listing.now, each.whose)):
        days = each.days(listing.now)
        rows.append(
            (
                each.whose,
                listed(hosts[each], 4),
                each.file,
                f"{each.ends:%Y-%m-%d}" if each.ends else "-",
                "-" if days is None else str(days),
                f"{each.state}: {each.why}" if each.why else str(each.state),
                listed(each.names, 100 if verbose else 2),
            )
        )
    return text.columns(rows, right=(4,))


def notes(listing: Listing) -> list[str]:
    """What a person has to do: the CAs that end within a year, and what a deploy renews."""
    from roles._lifetimes import State, authority_note

    lines = [note for each in listing.controller if each.signs and (note := authority_note(each, listing.now))]
    if any(each.state is not State.OK and not each.signs for _, each in listing.every()):
        lines.append(f"note: {usage('deploy')} renews what is due or has ended, and puts it on the hosts")
    return lines


def summary(listing: Listing) -> str:
    """`certs: 42 certificates on the controller and 5 hosts: 40 ok, 2 due`."""
    every = [each for _, each in listing.every()]
    counts = Counter(each.state for each in every)
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    asked = sum(1 for result in listing.hosts if result.error is None)
    return (
        f"certs: {text.number(len(every), 'certificate')} on the controller and {text.number(asked, 'host')}: {states}"
    )


def _host(result: HostResult[RemoteHost, tuple[Lifetime, ...]], now: datetime) -> Mapping[str, Any]:
    found: tuple[Lifetime, ...] = result.value or ()
    return {
        "status": _status(result.error, any(each.urgent(now) for each in found)),
        "changes": [],
        "after": [],
        "error": replace(result.error.explanation, host=result.host.name).as_dict() if result.error else None,
        "connections": result.host.connections,
        "execs": result.host.execs,
        "seconds": round(result.seconds, 3),
        "certificates": [_certificate(each, now) for each in found],
    }


def _status(error: ProvisionError | None, urgent: bool) -> str:
    if isinstance(error, UnreachableError):
        return "unreachable"
    return "failed" if error or urgent else "ok"


def _certificate(each: Lifetime, now: datetime) -> Mapping[str, Any]:
    return {
        "certificate": each.whose,
        "file": each.file,
        "ends": each.ends.isoformat() if each.ends else None,
        "days": each.days(now),
        "state": str(each.state),
        "why": each.why,
        "names": each.names,
    }
