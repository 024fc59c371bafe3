"""Applications: what is declared for them, whom they are told to, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from provision.errors import InputError
from provision.inventory.vault import Password, Vault
from provision.playbook.health_check import Application
from provision.project import Project
from provision.resources import Command, Manifests
from provision.search_path import SearchPath
from tests.readme import paste_application
from tests.unit.conftest import ROOT, Declared
from tests.unit.vaults import value

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "{{ site.images.nginx.name }}"}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: traefik
  rules:
  - host: {{ app.host }}
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
"""
Site = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """`site({"shop": {...}}, {"apps/shop.yaml": "..."})` gives the lab's inventory with these applications."""

    def site(apps: Any, files: Mapping[str, str]) -> Path:
        folder = tmp_path / "site"
        shutil.copytree(ROOT / "inventory" / "lab", folder)
        (folder / "group_vars" / "all" / "apps.yml").write_text(yaml.safe_dump({"apps": apps}, sort_keys=False))
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return site


def shop(site: Site, text: str = SHOP, **settings: Any) -> Path:
    """A site with one application, its file, and further settings."""
    return site({"shop": {"manifests": "apps/shop.yaml", **settings}}, {"apps/shop.yaml": text})


def objects(resources: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = resources[f"Manifests app-{name}"]
    assert isinstance(found, Manifests)
    return {item["kind"]: item for item in found.objects}


def test_a_site_without_applications_declares_nothing(declared: Declared) -> None:
    assert declared("hdss7-21", "apps", made=False) == {}


def test_the_readmes_example_is_declared_as_it_is_pasted(declared: Declared, tmp_path: Path) -> None:
    inventory = paste_application(tmp_path)
    found = declared("hdss7-21", "apps", made=False, inventory=inventory)
    assert list(found) == ["Manifests app-hello", "Rollout Deployment default/hello", "Command ask application hello"]
    made = objects(found, "hello")
    assert made["Ingress"]["spec"]["rules"][0]["host"] == "hello.od.com"
    assert made["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] == "lab.local/nginx:1"
    zone = declared("hdss7-11", "bind", made=False, inventory=inventory)["ConfigSet /etc/bind"].files
    assert b"\nhello IN A 10.4.7.11\n" in zone["zones/od.com.zone"]


@pytest.mark.parametrize(
    ("written", "whole"),
    [({}, "shop.od.com"), ({"host": "www"}, "www.od.com"), ({"host": "a.b.od.com"}, "a.b.od.com")],
)
def test_a_host_is_a_label_or_a_name_in_the_domain(
    site: Site, declared: Declared, written: dict[str, str], whole: str
) -> None:
    inventory = shop(site, **written)
    made = objects(declared("hdss7-21", "apps", made=False, inventory=inventory), "shop")
    assert made["Ingress"]["spec"]["rules"][0]["host"] == whole
    zone = declared("hdss7-11", "bind", made=False, inventory=inventory)["ConfigSet /etc/bind"].files
    assert f"\n{whole.removesuffix('.od.com')} IN A 10.4.7.11\n".encode() in zone["zones/od.com.zone"]


def test_every_kind_of_workload_is_awaited(site: Site, declared: Declared) -> None:
    stateful = SHOP.replace("kind: Deployment", "kind: StatefulSet").replace(
        "spec:\n  sel", "spec:\n  serviceName: x\n  sel"
    )
    found = declared("hdss7-21", "apps", made=False, inventory=shop(site, stateful, ready_timeout=7))
    assert found["Rollout StatefulSet default/shop"].timeout == 7


def test_what_a_vault_or_a_variable_holds_reaches_the_file(site: Site, declared: Declared) -> None:
    text = SHOP.replace("{name: shop}\nspec:\n  sel", "{name: shop, labels: {motto: {{ motto | yaml }}}}\nspec:\n  sel")
    found = declared("hdss7-21", "apps", json.dumps({"motto": "x: y"}), made=False, inventory=shop(site, text))
    assert objects(found, "shop")["Deployment"]["metadata"]["labels"] == {"motto": "x: y"}


def test_a_rolling_update_is_told_of_every_application(site: Site, facts: Path) -> None:
    project = Project(SearchPath.of(ROOT), [shop(site, path="/x", expect=302, host="www"), facts])
    play = next(play for play in project.plays if play.drain == "edge")
    check = project.health_check(play)
    assert check
    assert check.applications == (Application("shop", "http://www.od.com/x", 302),)
    assert check.node_ports == (8000,)


@pytest.mark.parametrize(
    ("answers", "waited"),
    [
        ("1 302", True),
        ("1 200", False),
        ("1 404", False),
        ("1 000", False),  # a node that takes the connection and says nothing
        ("0 000", True),  # nobody listens: not this node's to judge
    ],
)
def test_a_deploy_waits_for_every_node_to_answer(site: Site, declared: Declared, answers: str, waited: bool) -> None:
    command = declared("hdss7-21", "apps", made=False, inventory=shop(site, expect=302, ready_timeout=1))[
        "Command ask application shop"
    ]
    assert isinstance(command, Command)
    said = 'echo "$a, not 302, from there"'
    curl = f'curl() {{ case $* in *7.22*) a="{answers}";; *) a="1 302";; esac; {said}; }}'
    done = subprocess.run(
        ["sh", "-c", f"{curl}\n{command.run}"], capture_output=True, text=True, check=False, timeout=20
    )
    assert (done.returncode == 0) is waited, done
    assert waited or done.stderr == f"{answers.partition(' ')[2]}, not 302, from there\n"


def test_a_set_without_a_namespace_clashes_with_one_in_default(site: Site, facts: Path) -> None:
    text = SHOP.replace("kind: Service\nmetadata: {name: shop}", "kind: Service\nmetadata: {name: nginx-ds}")
    inventory = shop(site, text.replace("service: {name: shop", "service: {name: nginx-ds"))
    with pytest.raises(InputError, match=r"Service default/nginx-ds is declared twice.*in Manifests nginx-ds"):
        Project(SearchPath.of(ROOT), [inventory, facts]).declared("hdss7-21")


TWO = SHOP.replace("name: shop", "name: other")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"manifests": "apps/shpo.yaml"}, "There is no file .*/apps/shpo.yaml. Did you mean 'apps/shop.yaml'"),
        ({"manifests": "../shop.yaml"}, "apps.shop.manifests' has a wrong value"),
        ({"host": "shop.example.org"}, "outside the site's domain.*Write a name such as shop"),
        ({"host": "xod.com"}, "outside the site's domain"),
        ({"host": "traefik"}, "a host that is the site's own.*traefik.od.com is taken"),
        ({"expect": 99}, "apps.shop.expect' has a wrong value"),
        ({"paths": "/"}, "'shop' has no setting 'paths'"),
    ],
)
def test_a_wrong_setting_names_its_line(site: Site, declared: Declared, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        declared("hdss7-21", "apps", made=False, inventory=shop(site, **settings))
    assert "apps.yml:" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ app.host }}", "{{ app.hots }}", r"apps/shop.yaml:\d+: the template uses"),
        ("{{ app.host }}", "{% if %}", r"apps/shop.yaml:\d+: the template can't be read"),
        ("shop}\nspec: {", "shop\nspec: {", r"apps/shop.yaml:\d+:\d+: the manifest is not YAML"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\n",
            "- ",
            "the manifest holds something that is no object",
        ),
        ("kind: Service\n", "", "an object of the manifest has no kind"),
        ("ports: [", "prots: [", "prots is probably meant to be ports"),
        ("ingressClassName: traefik", "ingressClassName: nginx", "Ingress shop is of a class that nobody serves here"),
    ],
)
def test_a_wrong_file_is_named_with_what_to_write(
    site: Site, declared: Declared, old: str, new: str, said: str
) -> None:
    assert SHOP.count(old) == 1, old
    with pytest.raises(InputError, match=said) as error:
        declared("hdss7-21", "apps", made=False, inventory=shop(site, SHOP.replace(old, new)))
    assert "apps/shop.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_application_may_be_of_class_nginx_where_that_is_served(site: Site, declared: Declared) -> None:
    text = SHOP.replace("ingressClassName: traefik", "ingressClassName: nginx")
    on = "traefik.ingress_nginx=true"
    assert "Manifests app-shop" in declared("hdss7-21", "apps", on, made=False, inventory=shop(site, text))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"host": "shop"}, "two applications have the URL http://shop.od.com/.*They are shop and other"),
        ({"host": "shop", "path": "/other"}, ""),
    ],
)
def test_two_applications_share_a_host_and_no_url(
    site: Site, declared: Declared, second: dict[str, str], said: str
) -> None:
    apps = {"shop": {"manifests": "apps/shop.yaml"}, "other": {"manifests": "apps/other.yaml", **second}}
    two = TWO.replace("path: /,", "path: /other,") if second.get("path") else TWO
    inventory = site(apps, {"apps/shop.yaml": SHOP, "apps/other.yaml": two})
    if not said:
        assert len(declared("hdss7-21", "apps", made=False, inventory=inventory)) == 6
        return
    with pytest.raises(InputError, match=said):
        declared("hdss7-21", "apps", made=False, inventory=inventory)


def test_a_record_of_an_applications_name_is_refused(site: Site, declared: Declared) -> None:
    with pytest.raises(InputError, match=r"bind\.records has the name Shop, and so has the application shop"):
        declared("hdss7-11", "bind", '{"bind": {"records": {"Shop": ""}}}', made=False, inventory=shop(site))


def test_manifests_beside_an_inventory_are_no_inventory(site: Site, facts: Path) -> None:
    project = Project(SearchPath.of(ROOT), [shop(site), facts])
    assert project.inventory.notes == ()


def test_why_leads_from_a_set_to_its_settings_and_its_file(site: Site, facts: Path) -> None:
    inventory = shop(
        site, SHOP.replace("spec: {selector", "spec: {clusterIP: {{ address | default('') | yaml }}, selector")
    )
    project = Project(SearchPath.of(ROOT), [inventory, facts], ["address=10.1.1.1"])
    (made,) = [d for d in project.declared("hdss7-21") if d.resource.key == "Manifests app-shop"]
    uses = {variable.use.name: variable for variable in project.variables("hdss7-21", made)}
    assert uses["apps.shop.manifests"].origin.endswith("apps.yml:3")
    assert uses["apps.shop.manifests"].use.line.endswith("apps/shop.yaml")
    assert uses["site.images.nginx.name"].use.line.endswith("apps/shop.yaml:9")
    assert "apps.shop.host" in uses
    assert uses["address"].origin == "--extra-vars"


def test_a_value_of_the_vault_never_shows(site: Site, facts: Path) -> None:
    word = "hunter22"
    folder = shop(
        site, SHOP.replace("{name: shop}\nspec:\n  sel", "{name: shop, labels: {w: {{ word }}}}\nspec:\n  sel")
    )
    (folder / "group_vars" / "all" / "word.yml").write_text(f"word: {value(word)}\n")
    vault = Vault([Password("default", "password", lambda: b"pass")])
    declarations = Project(SearchPath.of(ROOT), [folder, facts], vault=vault).declared("hdss7-21")
    (made,) = [d.resource for d in declarations if d.resource.key == "Manifests app-shop"]
    assert isinstance(made, Manifests)
    assert made.secret
    assert word in str(made.content)
    (folder / "apps" / "shop.yaml").write_text(SHOP.replace("- host: {{ app.host }}", "- host: {{ word }}"))
    with pytest.raises(InputError, match=r"is no name in od\.com") as error:
        Project(SearchPath.of(ROOT), [folder, facts], vault=vault).declared("hdss7-21")
    assert word not in str(error.value)


def test_a_closed_application_is_awaited_through_the_edge(declared: Declared, site: Site) -> None:
    closed = '{"edge": {"sites": {"shop": {"networks": ["10.9.0.0/16"]}}}}'
    asked = declared("hdss7-21", "apps", closed, made=False, inventory=shop(site))["Command ask application shop"].run
    assert "--connect-to ::10.4.7.11: -I http://shop.od.com/.well-known/edge-health" in asked
    assert "10.4.7.21:81" not in asked  # nodes take the edges' requests alone then


def test_a_misspelt_field_of_a_route_is_named_with_its_line(site: Site, facts: Path) -> None:
    route = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: site, namespace: kube-system}]
  hostnames: ["{{ app.host }}"]
  rules:
  - backendRef: [{name: shop, port: 80}]
"""
    text = SHOP.partition("---\napiVersion: networking")[0] + route
    kinds = {"version": "1.6.3", "url": "http://ops/gateway-api.yaml", "sha256": "2" * 64}
    extra = json.dumps({"traefik": {"gateway": True, "gateway_api": kinds}})
    with pytest.raises(InputError, match="Did you mean backendRefs") as refused:
        Project(SearchPath.of(ROOT), [shop(site, text), facts], [extra]).declared("hdss7-21")
    line = text.splitlines().index("  - backendRef: [{name: shop, port: 80}]") + 1
    assert refused.value.explanation.line.endswith(f"apps/shop.yaml:{line}")
