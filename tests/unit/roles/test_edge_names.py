"""Names of edge.sites that nothing of the site has: lint says so, with the line and the name that was meant."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from provision.project import Project
from provision.search_path import SearchPath
from roles._edge_names import stands_for
from tests.unit.conftest import ROOT

SETS = """
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
  - host: "{{ app.host }}"
    http: &paths {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
  - host: pay.od.com
    http: *paths
"""
ROUTE = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: site, namespace: kube-system}]
  hostnames: [orders.od.com]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
"""


def notes(folder: Path, facts: Path, sites: dict[str, Any], records: dict[str, str], *extra: str) -> list[str]:
    """What lint and plan say of names, on the lab with an application shop. extra: beside these variables."""
    site = folder / "site"
    shutil.copytree(ROOT / "inventory" / "lab", site)
    (site / "apps").mkdir()
    (site / "apps/shop.yaml").write_text(SETS + (ROUTE if extra else ""))
    (site / "group_vars/all/trial.yml").write_text(
        yaml.safe_dump({"apps": {"shop": {"manifests": "apps/shop.yaml"}}, "bind": {"records": records}})
    )
    lines = ["edge:", "  sites:", *(f"    {json.dumps(name)}: {json.dumps(its)}" for name, its in sites.items())]
    (site / "group_vars/all/sites.yml").write_text("\n".join(lines) + "\n")
    project = Project(SearchPath.of(ROOT), [site, facts], extra)
    return [each for each in project.notes() if "edge.sites" in each]


@pytest.mark.parametrize(
    ("name", "records", "extra"),
    [
        ("traefik", {}, ()),
        ("shop", {}, ()),
        ("pay", {}, ()),  # of an Ingress, not the application's own name
        ("wiki", {"wiki": ""}, ()),  # applied by hand
        ("a.dev", {"*.dev": ""}, ()),
        ("*.dev", {"a.dev": ""}, ()),
        ("anything", {"*": ""}, ()),
        ("orders", {}, ("traefik.gateway=true",)),
        ("gateway", {}, ("traefik.gateway=true",)),
    ],
)
def test_a_name_that_something_has_gets_no_word(
    tmp_path: Path, facts: Path, name: str, records: dict[str, str], extra: tuple[str, ...]
) -> None:
    assert notes(tmp_path, facts, {name: {"networks": ["10.9.0.0/16"]}}, records, *extra) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("shpo", "shop"),
        ("treafik", "traefik"),
        ("pays", "pay"),
        ("gateway", ""),  # Traefik serves no routes
        ("elsewhere", ""),
        ("*.shop", "shop"),
    ],
)
def test_a_name_that_nothing_has_is_told_with_its_line(tmp_path: Path, facts: Path, name: str, meant: str) -> None:
    (note,) = notes(tmp_path, facts, {"demo": {}, name: {"networks": ["10.9.0.0/16"]}}, {})
    assert note.startswith("note: ")
    assert f"/group_vars/all/sites.yml:4: edge.sites has {name}, but no application" in note
    assert f"has the name {name}.od.com. " in note
    assert ("Did you mean" in note, f"Did you mean '{meant}'?" in note) == (bool(meant), bool(meant))
    assert note.endswith("There are: demo, nginx, pay, shop, traefik, ws")


@pytest.mark.parametrize(
    ("pattern", "name", "stands"),
    [
        ("shop", "SHOP", True),
        ("shop", "shops", False),
        ("*.dev", "a.dev", True),
        ("*.dev", "a.b.dev", True),
        ("*.dev", "dev", False),
        ("*.dev", "adev", False),
    ],
)
def test_a_wildcard_stands_for_what_is_below_it(pattern: str, name: str, stands: bool) -> None:
    assert stands_for(pattern, name) is stands
