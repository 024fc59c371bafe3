"""A project makes its keys and certificates only when it is asked to, and then declares those."""

from __future__ import annotations

from pathlib import Path

from provision.project import Project, Selection
from provision.project_site import ProjectSite
from provision.resources import Pending
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT


def test_keys_are_made_once_hosts_may_change(facts: Path, tmp_path: Path) -> None:
    project = Project(SearchPath.of(ROOT), [ROOT / "inventory/lab", facts])
    site = ProjectSite(project, Selection())

    def pending() -> list[str]:
        resources = (declaration.resource for declaration in site.declared("hdss7-21"))
        return [each.key for each in resources if isinstance(getattr(each, "content", None), Pending)]

    assert "File /opt/etcd/certs/ca.pem" in pending()
    assert not (tmp_path / "pki").exists()
    assert site.prepare()
    assert pending() == []
    assert not site.prepare()
    (tmp_path / "pki" / "sa.pem").unlink()
    assert site.prepare()
    assert pending() == []
