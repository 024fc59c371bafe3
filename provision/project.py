"""A project: its inventory, plays and roles, brought together into the work of one run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from provision.apply.run import Work
from provision.errors import InputError
from provision.history.journal import Written
from provision.inventory import Host, Inventory
from provision.inventory.settings import SITE, check_names
from provision.inventory.vault import Vault
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play, load
from provision.playbook.roles import Roles, check_tags, chosen
from provision.remote.login import Login

if TYPE_CHECKING:
    from provision.playbook.provenance import Reading, Variable


@dataclass(frozen=True)
class Selection:
    """What of the site a run is about, and how it logs in: the command line's own options."""

    limit: str | None = None
    tags: frozenset[str] = frozenset()
    skip_tags: frozenset[str] = frozenset()
    user: str | None = None
    private_key: str | None = None
    become_password: str | None = None


class Project:
    """Everything that is declared. `root` holds site.yml, roles/ and templates/. `vault` opens what is encrypted.

    Raises InputError for whatever is wrong with the inventory or the plays, before a host is asked.
    """

    def __init__(
        self, root: Path, sources: Sequence[Path], extra_vars: Sequence[str] = (), vault: Vault | None = None
    ) -> None:
        self.root = root
        self.roles = Roles(root)
        namespaces = frozenset((*self.roles.names(), SITE))
        self.inventory = Inventory.load(sources, extra_vars, namespaces=namespaces, vault=vault)
        check_names(self.inventory, namespaces)
        self._lock = threading.Lock()
        self._declared: dict[str, tuple[Declaration, ...]] = {}

    @cached_property
    def plays(self) -> tuple[Play, ...]:
        """The plays of site.yml whose hosts and roles exist, those that they drain and ask at the gate too."""
        for play in self._written:
            for use in play.roles:
                self.roles.load(use.name, use.line)
            for name in play.gate:
                self.roles.load(name, play.line)
            if play.drain:
                self.roles.watcher(play.drain, play.line)
        return self._written

    @cached_property
    def _written(self) -> tuple[Play, ...]:
        """The plays as they are written: enough to know the hosts, while a role is being written, too."""
        return load(self.root / "site.yml")

    def hosts(self, limit: str | None) -> tuple[Host, ...]:
        """The hosts that the plays are about, within `limit`. Raises InputError when the limit names nothing."""
        mine = {h.name for play in self._written for h in self.inventory.members(play.hosts)}
        if limit is None:
            return tuple(h for h in self.inventory.hosts if h.name in mine)
        within = tuple(h for h in self.inventory.select(limit) if h.name in mine)
        if not within:
            raise InputError(
                f"--limit {limit!r} leaves no host that a play is about",
                do=f"site.yml speaks of: {', '.join(sorted(mine))}",
            )
        return within

    def declared(self, host: str) -> tuple[Declaration, ...]:
        """Everything declared for a host, compiled once."""
        with self._lock:
            if host not in self._declared:
                self._declared[host] = self.roles.declare(self.inventory.host(host), self.plays)
            return self._declared[host]

    def work(self, selection: Selection, *, check: bool, forks: int, wait: float = 0, prune: bool = False) -> Work:
        """The work of one run. wait: seconds for hosts that another run changes; prune: take away what no role
        declares any more. Raises InputError for a limit or tag that names nothing.
        """
        chosen_few = bool(selection.tags or selection.skip_tags)
        if prune and chosen_few:
            raise InputError("--prune looks at everything that is declared", do="Leave out --tags and --skip-tags")
        hosts = self.hosts(selection.limit)
        if not check:
            self.roles.prepare(self.inventory, self.plays)
        if chosen_few:
            every = [d for host in hosts for d in self.declared(host.name)]
            check_tags(every, selection.tags | selection.skip_tags)
        return Work(
            plays=(*self.plays, Play(name="no longer declared", hosts="all", roles=(), line="")),
            logins=tuple(self.login(host, selection) for host in hosts),
            declarations=lambda name: chosen(self.declared(name), selection.tags, selection.skip_tags),
            everything=self.declared,
            members=lambda pattern: tuple(h.name for h in self.inventory.members(pattern)),
            login=lambda name: self.login(self.inventory.host(name), selection),
            watch=self._watch,
            variables=lambda name, declaration: tuple(map(str, self.variables(name, declaration))),
            check=check,
            forks=forks,
            wait=wait,
            prune=None if chosen_few else prune,
            everywhere=lambda: tuple(d for host in self.inventory.hosts for d in self.declared(host.name)),
        )

    def undoing(
        self, selection: Selection, runs: Mapping[str, Written], *, forks: int, wait: float = 0
    ) -> tuple[Work, list[tuple[str, str]]]:
        """The work that undoes a run on these hosts, and (host, what of it stays as it is and why).

        A resource goes back in the play of its role, so that it is rolled where that play is; what is in no play any
        more comes last.
        """
        from provision.history.rollback import undoing

        plays = (*self.plays, Play(name="what no play declares any more", hosts="all", roles=(), line=""))
        undone = {host: undoing(written, partial(self._play_of, host)) for host, written in runs.items()}
        work = self.work(selection, check=True, forks=forks, wait=wait)

        def declarations(name: str) -> tuple[Declaration, ...]:
            # a host that is not undone is asked only for what the others need
            return undone[name].declarations if name in undone else self.declared(name)

        def everything(name: str) -> tuple[Declaration, ...]:
            mine = {d.resource.key: d for d in declarations(name)}
            return (*mine.values(), *(d for d in self.declared(name) if d.resource.key not in mine))

        logins = tuple(login for login in work.logins if login.name in undone)
        lasting = [(host, why) for host, found in undone.items() for why in found.lasting]
        changed = replace(work, plays=plays, logins=logins, declarations=declarations, everything=everything)
        return replace(changed, variables=lambda *_: (), prune=None), lasting

    def variables(self, host: str, declaration: Declaration) -> tuple[Variable, ...]:
        """What a resource rests on, and where in the inventory each of it is set."""
        from provision.playbook.provenance import Variable

        known = self.inventory.host(host)

        def origin(path: tuple[str, ...]) -> str:
            # what is set may be shorter than what is used: all of a mapping, or of the role's settings
            return next(filter(None, (known.origin(*path[:size]) for size in range(len(path), 1, -1))), "")

        uses = self._reading.uses(declaration.role, declaration.line, declaration.written)
        return tuple(
            Variable(
                use,
                origin(use.path) or (known.origin(*use.path) if len(use.path) == 1 else ""),
                self._reading.default(use.path),
            )
            for use in uses
        )

    @cached_property
    def _reading(self) -> Reading:
        from provision.playbook.provenance import Reading

        return Reading(self.root)

    def _play_of(self, host: str, role: str) -> int:
        mine = (
            number
            for number, play in enumerate(self.plays)
            if any(use.name == role for use in play.roles)
            and host in {h.name for h in self.inventory.members(play.hosts)}
        )
        return next(mine, len(self.plays))

    def _watch(self, play: Play) -> HealthCheck | None:
        """What goes on answering while a play's nodes are out: the role says it that its `drain` names."""
        edges = self.inventory.members(play.drain) if play.drain else ()
        watch = self.roles.watch(play.drain, edges[0]) if play.drain and edges else None
        return replace(watch, node_ports=self._node_ports()) if watch else None

    def _node_ports(self) -> tuple[int, ...]:
        """What every node answers by itself, of all that is deployed."""
        uses = {
            use.name: members
            for play in self.plays
            if (members := self.inventory.members(play.hosts))
            for use in play.roles
        }
        return tuple(port for name, members in uses.items() for port in self.roles.node_ports(name, members[0]))

    def login(self, host: Host, selection: Selection) -> Login:
        """How this host is reached in this run. Raises InputError for login variables that can't be meant."""
        host.check_login()
        return Login.of(
            host,
            user=selection.user,
            key=selection.private_key,
            become_password=selection.become_password,
        )
