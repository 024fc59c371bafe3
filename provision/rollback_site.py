"""A rollback as the engine sees it: a deploy of what was there before a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from provision.apply.site import Site
from provision.history.journal import Written
from provision.history.rollback import rollback_plan
from provision.plan.plan import Declaration
from provision.playbook.health_check import HealthCheck
from provision.playbook.plays import Play
from provision.project import Project
from provision.project_site import ProjectSite
from provision.remote.login import Login


class RollbackSite(Site):
    """What hosts were before a run. runs: host -> the run that is rolled back there.

    A resource goes back in the play of its role, so that it is rolled as that play is. The plays run backwards: what
    came last depends on what came before it (after an upgrade no kubelet may be newer than an API server). What is in
    no play any more comes at the end. There is no gate but the site's answer: the checks of a role are about what the
    inventory says now.
    lasting: (host, what stays as it is and why).
    """

    def __init__(self, deploy: ProjectSite, runs: Mapping[str, Written]) -> None:
        project = deploy.project
        self._deploy = deploy
        undeclared = Play(name="what no play declares any more", hosts="all", roles=(), line="")
        self.plays = (*reversed(project.plays), undeclared)
        play_of = partial(self._play_of, project)
        self._rollbacks = {host: rollback_plan(run, partial(play_of, host)) for host, run in runs.items()}
        self.logins = tuple(login for login in deploy.logins if login.name in runs)
        self.lasting = tuple((host, why) for host, rollback in self._rollbacks.items() for why in rollback.lasting)

    @staticmethod
    def _play_of(project: Project, host: str, role: str) -> int:
        """The place of a role's play among the plays as they run here."""
        forward, last = project.play_of(host, role), len(project.plays)
        return forward if forward == last else last - 1 - forward

    def declared(self, host: str) -> tuple[Declaration, ...]:
        # a host without the run is asked only for what the others need
        return self._rollbacks[host].declarations if host in self._rollbacks else self._deploy.everything(host)

    def everything(self, host: str) -> tuple[Declaration, ...]:
        former = {d.resource.key: d for d in self.declared(host)}
        return (*former.values(), *(d for d in self._deploy.everything(host) if d.resource.key not in former))

    def members(self, pattern: str) -> tuple[str, ...]:
        return self._deploy.members(pattern)

    def edges(self, play: Play) -> tuple[str, ...]:
        return self._deploy.edges(play)

    def login(self, host: str) -> Login:
        return self._deploy.login(host)

    def health_check(self, play: Play) -> HealthCheck | None:
        return self._deploy.health_check(play)

    def commit(self) -> str:
        return self._deploy.commit()

    def explain(self, url: str) -> str:
        return self._deploy.explain(url)
