"""A project as the engine sees it in one run: the hosts, tags and login that an operator chose."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from provision.apply.site import Site
from provision.inventory.revision import commit_of
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.playbook.roles import check_tags, chosen
from provision.project import Project, Selection
from provision.remote.login import Login


class ProjectSite(Site):
    """What a deploy makes of the hosts: all that the project declares, within the selection."""

    def __init__(self, project: Project, selection: Selection) -> None:
        """Raises InputError for a limit or a tag that names nothing."""
        hosts = project.hosts(selection.limit)
        if not selection.everything:
            declared = [declaration for host in hosts for declaration in project.declared(host.name)]
            check_tags(declared, selection.tags | selection.skip_tags)
        self.project = project
        self.selection = selection
        self.plays = (*project.plays, Play(name="no longer declared", hosts="all", roles=(), line=""))
        self.logins = tuple(project.login(host, selection) for host in hosts)
        self.complete = selection.everything

    def declared(self, host: str) -> tuple[Declaration, ...]:
        return chosen(self.project.declared(host), self.selection.tags, self.selection.skip_tags)

    def prepare(self) -> bool:
        return self.project.prepare()

    def everything(self, host: str) -> tuple[Declaration, ...]:
        return self.project.declared(host)

    def declared_anywhere(self) -> tuple[Declaration, ...]:
        return self.project.declared_anywhere()

    def members(self, pattern: str) -> tuple[str, ...]:
        return tuple(host.name for host in self.project.inventory.members(pattern))

    def edges(self, play: Play) -> tuple[str, ...]:
        return tuple(host.name for host in self.project.edges(play))

    def login(self, host: str) -> Login:
        return self.project.login(self.project.inventory.host(host), self.selection)

    def health_check(self, play: Play) -> HealthCheck | None:
        return self.project.health_check(play)

    def gate(self, host: str, roles: Collection[str]) -> str:
        from provision.verify.gate import Gate  # reads all checks: only when nodes change

        checks = Gate(self.project, replace(self.selection, limit=None))
        try:
            return checks(host, roles)
        finally:
            checks.close()

    def variables(self, host: str, declaration: Declaration) -> tuple[str, ...]:
        return tuple(map(str, self.project.variables(host, declaration)))

    def notes(self) -> tuple[str, ...]:
        return self.project.notes(most=3)

    def commit(self) -> str:
        return commit_of(self.project.inventory.directory)
