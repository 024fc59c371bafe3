"""`etcd.restore`: every member of etcd is made anew of one snapshot, and the site deployed on it.

The members' present data stays beside the new one. etcd goes back in revision, and whoever has watched the API until
now knows a later one. So controllers stand still while it happens, then each client of the API is restarted: the
system's pods by a rollout, kubelets and kube-proxies by the deploy that follows, node by node and drained. Pods run on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hdss7.deploy import run_and_report
from hdss7.etcd.cluster import Cluster, cluster
from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report import text
from provision.apply.options import RunOptions
from provision.errors import FailedError, InputError, ProvisionError
from provision.facts.question import STAMPS
from provision.project import Selection
from provision.project_site import ProjectSite
from provision.remote.host import RemoteHost
from provision.remote.lock import Heartbeats, Holder, refuse, take_all
from provision.remote.pool import HostPool
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, words
from provision.resources import Program
from provision.resources.kubernetes.etcd import initial_cluster
from provision.spelling import listed
from provision.usage import usage

if TYPE_CHECKING:
    from provision.inventory import Host

SCRIPTS = Scripts(__file__)
SECONDS = 300.0
START_SECONDS = 120
COMMAND = "etcd.restore"


def restore(options: Options) -> int:
    """Show what will be replaced by what, ask, and do it."""
    opened, selection = open_project(options), options.selection()
    site = cluster(opened.project, options)
    from roles._snapshots import check  # importable now that a project is open, for it may be the project's own

    path = _chosen(options.snapshot, site.snapshots)
    check(path)
    opened.check_up()
    out = sys.stderr if options.json else sys.stdout
    for line in _shown(path, site):
        print(line, file=out)
    if not options.yes:
        _ask()
    with ExitStack() as stack:
        Restore(site, selection, path, options, lambda line: print(line, file=out, flush=True), stack).all()
    print("then the site is deployed on it: whoever has watched the API before is restarted", file=out, flush=True)
    return run_and_report(
        ProjectSite(opened.project, selection),
        RunOptions(check=False, forks=options.forks, wait=options.wait, command=COMMAND),
        options,
        "deploy",
        opened.identity,
    )


@dataclass
class Restore:
    """One restore: the phases, each on all of its hosts before the next begins."""

    site: Cluster
    selection: Selection
    snapshot: Path
    options: Options
    say: Callable[[str], None]
    stack: ExitStack
    holder: Holder = field(default_factory=Holder)
    remotes: dict[str, RemoteHost] = field(default_factory=dict)

    def all(self) -> None:
        """Raises ProvisionError at the first phase that a host does not end."""
        self._connect()
        self._phase("each member's new data is made of the snapshot", self.site.members, self._prepare)
        try:
            self._phase("API servers and controllers stop", self.site.masters, self._stop_masters)
            self._phase("etcd stops", self.site.members, self._stop_member)
            self._phase("the new data takes the old one's place", self.site.members, self._swap)
            self._phase("etcd starts", self.site.members, self._start_member)
            self._phase("API servers and controllers start", self.site.masters, self._start_masters)
            self._phase("clients of the API are due for a restart", self.site.nodes, self._due)
            self._phase("the system's pods are restarted", self.site.masters[:1], self._restart_pods)
        except ProvisionError as error:
            again = f"{usage(COMMAND)} --snapshot {self.snapshot}"
            raise error.but(
                do=f"{error.explanation.do}. The restore is not complete: then run it again: {again}"
            ) from None

    def _connect(self) -> None:
        every = {host.name: host for host in (*self.site.members, *self.site.masters, *self.site.nodes)}
        for name, host in every.items():
            self.remotes[name] = RemoteHost(self.site.project.login(host, self.selection))
            self.stack.callback(self.remotes[name].close)
        self._for_each(every.values(), lambda host: self.remotes[host.name].session().begin())
        beats = self.stack.enter_context(Heartbeats())
        sessions = {name: remote.session() for name, remote in self.remotes.items()}
        for session in sessions.values():
            beats.add(session)

        def each(work: Callable[[str], None], names: list[str]) -> None:
            self._for_each((every[name] for name in names), lambda host: work(host.name))

        held = take_all(sessions, self.holder, each, wait=self.options.wait)
        for name, who in held.items():
            refuse(name, who, self.options.wait)

    def _phase(self, what: str, hosts: Sequence[Host], work: Callable[[Host], None]) -> None:
        if hosts:
            self.say(f"{what}: {listed([host.name for host in hosts], 6)}")
            self._for_each(hosts, work)

    def _for_each(self, hosts: Iterable[Host], work: Callable[[Host], None]) -> None:
        every = {host.name: host for host in hosts}
        results = HostPool(self.options.forks).for_each(
            [self.remotes[name] for name in every], lambda remote: work(every[remote.name])
        )
        errors = [(result.error.at(host=result.host.name)) for result in results if result.error]
        for paragraph in text.paragraphs(error.explanation for error in errors[1:]):
            print(paragraph, file=sys.stderr)
        if errors:
            raise errors[0]

    def _run(self, host: Host, step: Step) -> None:
        result = self.remotes[host.name].session().run(step)
        if result.code:
            raise FailedError(
                "a step of the restore failed",
                host=host.name,
                found=result.errors[-1500:] or f"exit {result.code}",
                do="Look at the log of the program that is named",
            )

    def _prepare(self, host: Host) -> None:
        from roles.etcd import member_of

        me = member_of(host)
        script = SCRIPTS.call(
            "prepare_restore",
            DATA=self.site.settings(host).data,
            NAME=me.name,
            URL=me.peer,
            CLUSTER=initial_cluster(map(member_of, self.site.members)),
            TOKEN=f"restored-{self.holder.run}",
        )
        self._run(host, Step(script, payload=self.snapshot, timeout=SECONDS))

    def _stop_masters(self, host: Host) -> None:
        self._run(host, Step(SCRIPTS.call("stop", *self._control_plane(host)), timeout=SECONDS))

    def _stop_member(self, host: Host) -> None:
        from roles.etcd import member_of

        self._run(host, Step(SCRIPTS.call("stop", member_of(host).name), timeout=SECONDS))

    def _swap(self, host: Host) -> None:
        from roles.etcd import LEARNER

        data = self.site.settings(host).data
        script = SCRIPTS.call("swap", DATA=data, KEPT=f"before-{self.holder.run}", LEARNER=LEARNER)
        self._run(host, Step(script))

    def _start_member(self, host: Host) -> None:
        from roles.etcd import HEALTH, member_of

        script = SCRIPTS.call("start", member_of(host).name, str(START_SECONDS), URL=f"{HEALTH}/health", CACERT="")
        self._run(host, Step(script, timeout=START_SECONDS + 60))

    def _start_masters(self, host: Host) -> None:
        from roles._cluster import CERT
        from roles.kube_apiserver import LOCAL

        first, *others = self._control_plane(host)
        script = SCRIPTS.call("start", first, str(START_SECONDS), URL=f"{LOCAL}/readyz", CACERT=f"{CERT}/ca.pem")
        self._run(host, Step(script, timeout=START_SECONDS + 60))
        self._run(host, Step(f"supervisorctl start {words(others)} >/dev/null || :"))

    @staticmethod
    def _control_plane(host: Host) -> tuple[str, ...]:
        """The programs of a master, the API server first."""
        from roles._cluster import numbered

        return tuple(numbered(f"kube-{name}", host) for name in ("apiserver", "controller-manager", "scheduler"))

    def _due(self, host: Host) -> None:
        """The deploy that follows finds them due for a restart, and drains their node for it."""
        declared = (each.resource for each in self.site.project.declared(host.name))
        clients = [r for r in declared if isinstance(r, Program) and r.name.startswith(("kube-kubelet", "kube-proxy"))]
        self._run(host, Step(SCRIPTS.call("due", *(each.stamp for each in clients), FOLDER=STAMPS)))

    def _restart_pods(self, host: Host) -> None:
        from roles._cluster import KUBECTL

        self._run(host, Step(f"{KUBECTL} -n kube-system rollout restart daemonset,deployment >&2\n", timeout=SECONDS))


def _chosen(named: str | None, folder: Path) -> Path:
    """The file that was named: a path, or a name in the site's folder. Raises InputError."""
    from roles._snapshots import listed as snapshots

    there = snapshots(folder) if folder.is_dir() else ()
    known = f"{folder} has {listed(there, 5)}" if there else f"{folder} has none"
    if not named:
        raise InputError("--snapshot is missing: nothing says what to restore", found=known, do="Name a file")
    path = Path(named).expanduser()
    found = next((each for each in (path, folder / named) if each.is_file()), None)
    if path.is_dir():
        raise InputError(f"--snapshot {named} is a folder", found=known, do="Name a file in it")
    if found is None:
        raise InputError(f"--snapshot {named}: there is no such file", found=known, do="Name one of these, or a path")
    return found


def _shown(path: Path, site: Cluster) -> list[str]:
    """What the person agrees to."""
    from roles._snapshots import Snapshot

    snapshot = Snapshot.of(path.name)
    of = f", taken {snapshot.taken:%Y-%m-%d %H:%M:%S} UTC, revision {snapshot.revision}" if snapshot else ""
    names = listed([host.name for host in site.members], 6)
    return [
        f"{path}: {path.stat().st_size / 1e6:.1f} MB{of}",
        f"It replaces what etcd holds on {names}. Every object of the cluster becomes what it was then; what was made "
        "since is gone. Pods run on.",
    ]


def _ask() -> None:
    if not sys.stdin.isatty():
        raise InputError("no terminal to ask on: nothing was changed", do="Add --yes to restore without being asked")
    if input("Replace everything that the cluster holds? [y/N] ").strip().lower() not in ("y", "yes"):
        raise FailedError("nothing was restored", do="Answer y to restore")
