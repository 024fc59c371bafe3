"""What checks are about: the hosts, which roles they have, the settings, and the places that commands run at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provision.errors import InputError
from provision.inventory import Host
from provision.inventory.settings import SITE
from provision.project import Project, Selection
from provision.remote.host import Reach, RemoteHost
from provision.remote.login import Login
from provision.verify.browser import BROWSER, Browser, BrowserLocation
from provision.verify.checks import OUTSIDE_PLACE, Node
from provision.verify.locations import OUTSIDE, HostLocation, LocalLocation, Location, wrapper

OPS = "ops"


@dataclass(frozen=True)
class Context:
    """One run's view of the site. Raises InputError when the project can't be compiled, before a host is asked.

    reach: how hosts are connected to.
    """

    project: Project
    selection: Selection
    reach: Reach = RemoteHost

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """Every host that a play is about, whether or not it is within the limit."""
        return self.project.hosts(None)

    @cached_property
    def limited(self) -> frozenset[str]:
        """The hosts whose checks run."""
        return frozenset(host.name for host in self.project.hosts(self.selection.limit))

    @cached_property
    def roles(self) -> Mapping[str, tuple[Host, ...]]:
        """For each role the hosts for which it declares something: there its checks apply."""
        found: dict[str, dict[str, Host]] = {}
        for host in self.hosts:
            for declaration in self.project.declared(host.name):
                found.setdefault(declaration.role, {})[host.name] = host
        return {role: tuple(hosts.values()) for role, hosts in found.items()}

    def about(self, role: str, pattern: str | None) -> tuple[Node, ...]:
        """The hosts that a check of a role is about: the role's, or a pattern's where the site has the role at all."""
        if role in self.project.roles.names() and role not in self.roles:
            return ()
        if pattern is None:
            return tuple(Node.of(host) for host in self.roles.get(role, ()))
        return tuple(Node.of(host) for host in self.project.inventory.members(pattern))

    def known(self, role: str, node: Node) -> Mapping[str, Any]:
        """What a check of a role may name as its parameters."""
        site = self.project.roles.settings(node.host, SITE)
        known: dict[str, Any] = {"node": node, "site": site, "outside": OUTSIDE_PLACE, "browser": Browser()}
        known["declared"] = tuple(declaration.resource for declaration in self.project.declared(node.name))
        if role in self.project.roles.names():
            known["settings"] = self.project.roles.settings(node.host, role)
        return known

    @cached_property
    def locations(self) -> Mapping[str, Location]:
        """Every place, by name; none is reached before something is asked there."""
        hosts = {host.name: HostLocation(self._login(host), self.reach) for host in self.hosts}
        return {**hosts, OUTSIDE: self._outside(), BROWSER: self._browser()}

    def close(self) -> None:
        """Ends every connection."""
        if "locations" in self.__dict__:
            for location in self.locations.values():
                location.close()

    def _outside(self) -> Location:
        """The ops host: as `hdss7_ops_host` says, or over SSH. Without one, checks run on the controller."""
        ops = self._ops()
        spec = str(self._any("hdss7_ops_host"))
        if spec or ops is None:
            return LocalLocation(wrapper(spec))
        return HostLocation(self._login(ops), self.reach)

    def _browser(self) -> Location:
        """A program of the controller's, started where `hdss7_ops_host` says. Screenshots stay in .artifacts."""
        spec = str(self._any("hdss7_ops_host"))
        return BrowserLocation(wrapper(spec) if spec else None, self.project.folders.own / ".artifacts")

    def _ops(self) -> Host | None:
        group = self.project.inventory.groups.get(OPS, ())
        return next((host for host in self.project.inventory.hosts if host.name in group), None)

    def _any(self, variable: str) -> Any:
        return next((found for host in self.hosts if (found := host.var(variable, None))), "")

    def _login(self, host: Host) -> Login:
        return self.project.login(host, self.selection)


def single(project: Project, selection: Selection, reach: Reach = RemoteHost) -> Context:
    """The context of one run, compiled. Raises InputError."""
    context = Context(project, selection, reach)
    if not context.limited:
        raise InputError("no host is left to verify", do="Widen --limit")
    context.roles  # noqa: B018 - compiled here, so that what is wrong is told before pytest starts
    return context
