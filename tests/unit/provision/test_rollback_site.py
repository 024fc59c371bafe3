"""A rollback is rolled as the deploy was: by the same edges, with the same protection."""

from __future__ import annotations

from pathlib import Path

from provision.apply.site import Site
from provision.project import Project, Selection
from provision.project_site import ProjectSite
from provision.rollback_site import RollbackSite
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT

# What a rollback has no use for: it makes no keys, has no gates but the site's answer, and says nothing of settings.
DEFAULTS = {"prepare", "gate", "variables", "notes", "declared_anywhere"}


def test_an_edge_play_is_rolled_by_the_edges_that_hold_the_address(facts: Path) -> None:
    project = Project(SearchPath.of(ROOT), [ROOT / "inventory/lab-ha", facts])
    deploy = ProjectSite(project, Selection())
    play = next(play for play in project.plays if play.drain == "keepalived")
    assert RollbackSite(deploy, {}).edges(play) == deploy.edges(play) == ("hdss7-11", "hdss7-12")


def test_a_rollback_answers_all_that_the_engine_asks_of_a_site() -> None:
    asked = {name for name, value in vars(Site).items() if callable(value) and not name.startswith("_")}
    assert asked - DEFAULTS <= set(vars(RollbackSite))
