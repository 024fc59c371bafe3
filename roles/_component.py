"""What programs under supervisord share: start script, log, unit file, and the wait until the program answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from provision.resources import Directory, Download, File, Program, Resource, Symlink, Template
from roles._cluster import LINK, LOGS, binary, folders, numbered

if TYPE_CHECKING:
    from provision.inventory import Host
    from roles._site import SiteSettings

UNITS = "/etc/supervisor/conf.d"


def download(site: SiteSettings, name: str) -> Download:
    """A program of Kubernetes, in its version's folder."""
    source = binary(site, name)
    return Download(path=f"{folders(site).bin}/{name}", url=source.url, sha256=source.sha256, mode="0755")


def component(
    host: Host,
    site: SiteSettings,
    name: str,
    *,
    arguments: Sequence[str],
    reads: Sequence[Resource],
    ready: str,
    ready_timeout: int = 60,
    stop_seconds: int = 30,
    program: str = "",
    log: str = "",
    diagnose: str = "",
    first: Sequence[Resource] = (),
) -> Iterator[Resource]:
    """A component of Kubernetes: its binary, start script NAME.sh beside it and program under supervisord.

    arguments: its flags. reads: the resources whose change restarts it. ready: sh that succeeds once it answers.
    stop_seconds: what it gets to stop in good order. program: its name there without the octets, if not `name`.
    log: its log is LOGS/<program>/<log>.stdout.log. diagnose: sh that says more when it does not come up.
    """
    executable = download(site, name)
    yield executable
    yield from supervised(
        program=numbered(program or name, host),
        executable=executable.path,
        script=f"{executable.path}.sh",
        log=f"{LOGS}/{program or name}/{log or name}.stdout.log",
        arguments=arguments,
        reads=(executable, *reads),
        ready=ready,
        ready_timeout=ready_timeout,
        stop_seconds=stop_seconds,
        diagnose=diagnose,
        first=first,
    )


def current(site: SiteSettings) -> Symlink:
    """The link to the version that the host runs: for the last of its programs, so that it leads to a whole version."""
    return Symlink(path=LINK, target=folders(site).root, versions=f"{LINK}-v")


def supervised(
    *,
    program: str,
    executable: str,
    script: str,
    log: str,
    arguments: Sequence[str],
    reads: Sequence[Resource],
    ready: str,
    user: str = "root",
    ready_timeout: int = 60,
    stop_seconds: int = 30,
    diagnose: str = "",
    first: Sequence[Resource] = (),
    first_start: str = "",
    data: str = "",
    may_stop: str = "",
) -> Iterator[Resource]:
    """Any program under supervisord; see `component`. script, log, executable: paths.

    first_start: a file of variables without which the program does not start while there is no `data`, a path.
    may_stop: see Program.
    """
    known = {"program": program, "executable": executable, "script": script, "log": log, "user": user}
    called = {"arguments": arguments, "first_start": first_start, "data": data}
    yield Directory(path=log.rpartition("/")[0], owner=user, group=user)
    start = File(
        path=script,
        content=Template("_component/start.sh.j2", **called, **known),
        mode="0755",
    )
    yield start
    unit = File(
        path=f"{UNITS}/{program.rpartition('-')[0].rpartition('-')[0]}.conf",
        content=Template("_component/program.conf.j2", stop_seconds=stop_seconds, **known),
    )
    yield unit
    yield from first
    yield Program(
        name=program,
        executable=executable,
        restart_on=(start, unit, *reads, *first),
        ready=ready,
        ready_timeout=ready_timeout,
        log=log,
        diagnose=diagnose,
        may_stop=may_stop,
    )
