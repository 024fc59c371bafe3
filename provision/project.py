"""A project: its inventory, plays and roles, and what they declare for each host."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision.errors import InputError
from provision.inventory import Host, Inventory
from provision.inventory.patterns import split
from provision.inventory.settings import SITE, check_names
from provision.inventory.sources import Source
from provision.inventory.vault import Vault
from provision.playbook.plays import Play, load, role_names
from provision.remote.login import Login
from provision.search_path import SearchPath
from provision.usage import usage

if TYPE_CHECKING:
    from provision.plan.plan import Declaration
    from provision.playbook.health_check import HealthCheck
    from provision.playbook.provenance import Reading, Variable
    from provision.playbook.roles import Roles


@dataclass(frozen=True)
class Selection:
    """What of the site a run is about, and how it logs in: the command line's own options."""

    limit: str | None = None
    tags: frozenset[str] = frozenset()
    skip_tags: frozenset[str] = frozenset()
    user: str | None = None
    private_key: str | None = None
    become_password: str | None = None
    transport: str | None = None

    @property
    def everything(self) -> bool:
        """Whether no tag leaves anything of a host out."""
        return not self.tags and not self.skip_tags


@contextmanager
def _named_by(play: Play, keyword: str) -> Iterator[None]:
    """An error of the block says which keyword of a play names the role."""
    try:
        yield
    except InputError as error:
        raise error.but(what=f"'{keyword}' of play '{play.name}': {error.explanation.what}") from None


class Project:
    """Everything that is declared. `folders` hold site.yml, roles/ and templates/. `vault` opens what is encrypted.
    `limit`: what `hosts` will be asked for: it says which local hosts are meant.

    Raises InputError for whatever is wrong with the inventory or the plays, before a host is asked.
    """

    def __init__(
        self,
        folders: SearchPath,
        sources: Sequence[Path | Source],
        extra_vars: Sequence[str] = (),
        vault: Vault | None = None,
        limit: str | None = None,
    ) -> None:
        self.folders = folders
        namespaces = frozenset((*role_names(folders), SITE))
        self.inventory = Inventory.load(
            sources, extra_vars, namespaces=namespaces, vault=vault, playbook_dir=folders.own, limit=limit
        )
        check_names(self.inventory, namespaces)
        self._lock = threading.Lock()
        self._declared: dict[str, tuple[Declaration, ...]] = {}

    @cached_property
    def roles(self) -> Roles:
        """The roles of its folders. Reading the modules of all resources takes longer than reading the inventory:
        hosts can be connected to meanwhile."""
        from provision.playbook.roles import Roles

        return Roles(self.folders)

    @cached_property
    def plays(self) -> tuple[Play, ...]:
        """The plays of site.yml whose hosts and roles exist, those that they drain and ask at the gate too."""
        for play in self._written:
            for use in play.roles:
                self.roles.load(use.name, use.line)
            with _named_by(play, "gate"):
                for name in play.gate:
                    self.roles.load(name, play.line)
            if play.drain:
                with _named_by(play, "drain"):
                    self.roles.load(play.drain, play.line)
                self.roles.health_check_function(play.drain, play.line)
        return self._written

    @cached_property
    def _written(self) -> tuple[Play, ...]:
        """The plays as they are written: enough to know the hosts, while a role is being written, too."""
        plays = load(self.folders.own / "site.yml")
        for play in plays:
            try:
                self.inventory.members(play.hosts)
            except InputError as error:
                raise error.but(
                    what=f"play '{play.name}': {error.explanation.what}",
                    do=f"{error.explanation.do} Correct the play, or the group in the inventory.".strip(),
                ).at(line=play.line) from None
        return plays

    def hosts(self, limit: str | None, *, adhoc: bool = False) -> tuple[Host, ...]:
        """The hosts that the plays are about, within `limit`. Raises InputError when the limit names nothing.

        adhoc: also a host that no play is about, where `limit` has its own name.
        """
        named = {h.name: h for play in self._written for h in self.inventory.members(play.hosts)}
        if limit is None:
            return tuple(dict.fromkeys((*(h for h in self.inventory.hosts if h.name in named), *named.values())))
        written = split(limit) if adhoc else ()
        within = tuple(h for h in self.inventory.select(limit) if h.name in named or h.name in written)
        if not within:
            raise InputError(
                f"--limit {limit!r} leaves no host that a play is about",
                do=f"site.yml speaks of: {', '.join(sorted(named))}",
            )
        return within

    def declared(self, host: str) -> tuple[Declaration, ...]:
        """Everything declared for a host, compiled once."""
        with self._lock:
            if host not in self._declared:
                self._declared[host] = self.roles.declare(self.inventory.host(host), self.plays)
            return self._declared[host]

    def declared_anywhere(self) -> tuple[Declaration, ...]:
        """Everything declared for all hosts of the inventory together."""
        every = dict.fromkeys((*self.inventory.hosts, *self.hosts(None)))
        return tuple(declaration for host in every for declaration in self.declared(host.name))

    def prepare(self) -> bool:
        """Lets roles make what they need on the controller (keys, certificates). Whether one of them made something.

        Raises InputError or FailedError.
        """
        made = self.roles.prepare(self.inventory, self.plays)
        if made:
            with self._lock:
                self._declared.clear()
                self.roles.alike.forget()
        return made

    def notes(self, most: int = 1000) -> tuple[str, ...]:
        """What of the inventory has no effect, and what roles want people to know in time. Raises InputError.

        most: where the inventory gives more notes than that, one line says how many.
        """
        found = self.inventory.notes
        if len(found) > most:
            found = (f"{len(found)} things in the inventory have no effect: {usage('lint')} lists them",)
        return (*(f"note: {each}" for each in found), *self.roles.notes(self.inventory, self.plays))

    def variables(self, host: str, declaration: Declaration) -> tuple[Variable, ...]:
        """What a resource depends on, and where in the inventory each of it is set."""
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

        return Reading(self.folders)

    def play_of(self, host: str, role: str) -> int:
        """The number of the play that gives a host a role; the number of plays where none does."""
        numbers = (
            number
            for number, play in enumerate(self.plays)
            if any(use.name == role for use in play.roles)
            and host in {h.name for h in self.inventory.members(play.hosts)}
        )
        return next(numbers, len(self.plays))

    def health_check(self, play: Play) -> HealthCheck | None:
        """What goes on answering while a play's nodes are drained, as the role says that its `drain` names."""
        edges = self.edges(play)
        check = self.roles.health_check(play.drain, edges[0]) if play.drain and edges else None
        if check is None or (check.of_edges and len(edges) == 1):
            return None
        ports = () if check.of_edges else self._told("node_ports")
        return replace(check, node_ports=ports, applications=self._told("applications"))

    def edges(self, play: Play) -> tuple[Host, ...]:
        """The hosts that the `drain` of a play means: its group, or where there is none all that have the role."""
        if not play.drain:
            return ()
        if play.drain in self.inventory.groups:
            return self.inventory.members(play.drain)
        plays = [each.hosts for each in self.plays if any(use.name == play.drain for use in each.roles)]
        return tuple(dict.fromkeys(host for pattern in plays for host in self.inventory.members(pattern)))

    def _told(self, function: str) -> tuple[Any, ...]:
        """What the roles that are deployed say has to go on answering, by a function of this name."""
        uses = {
            use.name: members
            for play in self.plays
            if (members := self.inventory.members(play.hosts))
            for use in play.roles
        }
        return tuple(each for name, members in uses.items() for each in self.roles.told(name, function, members[0]))

    def login(self, host: Host, selection: Selection) -> Login:
        """How this host is reached in this run. Raises InputError for login variables that can't be meant."""
        host.check_login()
        return Login.of(
            host,
            user=selection.user,
            key=selection.private_key,
            become_password=selection.become_password,
            transport=selection.transport,
        )
