"""`lint` on classes: each is served by one controller, and no declared Ingress is served by nobody."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from hdss7.ingress.site import check_classes
from provision.errors import InputError
from provision.project import Project
from provision.search_path import SearchPath
from tests.unit.conftest import ROOT

ROLE = """\
import msgspec

from provision.resources import Manifests

class Settings(msgspec.Struct):
    pass

def shop(host, site, settings):
    yield Manifests(name="shop", content={content!r}, kubectl="kubectl")
"""
CLASS = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: {name}}}
spec: {{controller: {controller}}}
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec:
  {spec}
  defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}
"""
NGINX = "k8s.io/ingress-nginx"


def check(tmp_path: Path, content: str, *extra: str) -> None:
    """Judges a project whose role shop declares this, as `lint` does; on one host the engine refuses two of a name."""
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "shop.py").write_text(ROLE.format(content=dedent(content)))
    plays = (ROOT / "site.yml").read_text() + "\n- name: the shop\n  hosts: hdss7-22\n  roles: [shop]\n"
    (tmp_path / "site.yml").write_text(plays)
    project = Project(SearchPath.of(tmp_path, ROOT), [ROOT / "inventory" / "hdss7"], extra)
    check_classes(project, project.hosts(None))


ON = ("traefik.ingress_nginx=true",)


@pytest.mark.parametrize(
    ("content", "extra"),
    [
        (INGRESS.format(spec="ingressClassName: traefik"), ()),
        (INGRESS.format(spec="ingressClassName: nginx"), ON),
        (CLASS.format(name="nginx", controller=NGINX), ON),
        (CLASS.format(name="other", controller="example.com/other"), ()),
        (INGRESS.format(spec="# the default class"), ()),
    ],
)
def test_what_somebody_serves_is_accepted(tmp_path: Path, content: str, extra: tuple[str, ...]) -> None:
    check(tmp_path, content, *extra)


@pytest.mark.parametrize(
    ("content", "extra", "said"),
    [
        (INGRESS.format(spec="ingressClassName: nginx"), (), "Ingress web: nobody serves class 'nginx'"),
        (
            CLASS.format(name="nginx", controller="nginx.org/ingress-controller"),
            ON,
            "IngressClass nginx has two controllers",
        ),
        (CLASS.format(name="traefik", controller="example.com/a"), (), "IngressClass traefik has two controllers"),
        (CLASS.format(name="public", controller=NGINX), (), "IngressClass public is ingress-nginx's"),
    ],
)
def test_what_nobody_or_two_would_serve_is_refused(
    tmp_path: Path, content: str, extra: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said) as raised:
        check(tmp_path, content, *extra)
    explanation = raised.value.explanation
    assert (explanation.role, explanation.line) == ("shop", "roles/shop.py:9")
    assert explanation.do
