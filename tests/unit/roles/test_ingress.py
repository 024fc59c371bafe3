"""What an application's Ingresses have to be, told from the manifests alone."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from provision.resources.kubernetes import diff
from roles._applications import Application
from roles._ingress import check_ingresses
from roles._site import SiteSettings

SHOP = Application("shop", "apps/shop.yaml", "shop.od.com", "/", 200, 120)
SET = """
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}, {name: admin, port: 81}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: traefik
  rules:
  - host: shop.od.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
"""
BACKEND = "backend: {service: {name: shop, port: {number: 80}}}"
ANNOTATED = "annotations: {kubernetes.io/ingress.class: %s}"


def check(text: str, app: Application = SHOP) -> None:
    check_ingresses(diff.parse(text, app.manifests), app.manifests, app, SiteSettings())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("  ingressClassName: traefik\n", ""),  # the site's class is the default
        ("Ingress\nmetadata: {", "Ingress\nmetadata: {" + ANNOTATED % "traefik" + ", "),
        ("number: 80", "name: http"),
        ("pathType: Prefix", "pathType: Exact"),
        ("pathType: Prefix", "pathType: ImplementationSpecific"),
        ("Service\nmetadata: {name: shop}", "Service\nmetadata: {name: shop, namespace: default}"),
        ("  rules:\n", "  rules:\n  - {host: more.shop.od.com}\n"),
    ],
)
def test_what_the_site_serves_is_taken(old: str, new: str) -> None:
    check(SET.replace(old, new, 1) if old else SET)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ingressClassName: traefik", "ingressClassName: nginx", "Its ingressClassName is nginx"),
        ("Ingress\nmetadata: {", "Ingress\nmetadata: {" + ANNOTATED % "nginx" + ", ", "ingress.class is nginx"),
        ("service: {name: shop, ", "service: {name: shpo, ", "a Service that is not in this file.*Did you mean shop"),
        ("service: {name: shop, ", "service: {name: database, ", "Add the Service"),
        ("Service\nmetadata: {name: shop}", "Service\nmetadata: {name: shop, namespace: x}", "are none"),
        (BACKEND, "backend: {resource: {kind: Bucket, name: x}}", "a Service that is not in this file"),
        ("number: 80", "number: 8080", r"It is 8080; the Service has 80 \(http\), 81 \(admin\)"),
        ("number: 80", "name: web", r"It is web; the Service has 80"),
        ("host: shop.od.com", "host: shop.od.co", "shop.od.co is no name in od.com"),
        ("host: shop.od.com", "host: demo.od.com", "demo.od.com takes requests for sites of the site's own"),
        ("host: shop.od.com", "host: '*.od.com'", "takes requests for sites of the site's own"),
        ("host: shop.od.com", "host: ", "One of its rules has no host"),
        ("  rules:\n", "  defaultBackend: {service: {name: shop, port: {number: 80}}}\n  rules:\n", "has no host"),
        ("host: shop.od.com", "host: shpo.od.com", "no Ingress leads to the application shop.*instead of shpo.od.com"),
        ("kind: Ingress", "kind: IngressRoute", "the Ingresses there have none"),
        ("path: /, pathType", "path: /x, pathType", "no Ingress leads http://shop.od.com/ anywhere"),
    ],
)
def test_what_it_does_not_serve_is_named(old: str, new: str, said: str) -> None:
    assert SET.count(old) == 1, old
    with pytest.raises(InputError, match=said) as error:
        check(SET.replace(old, new))
    assert str(error.value).startswith("apps/shop.yaml: ")


@pytest.mark.parametrize(
    ("kind", "path", "asked", "leads"),
    [
        ("Exact", "/a", "/a", True),
        ("Exact", "/a", "/a/b", False),
        ("Prefix", "/a", "/a/b", True),
        ("Prefix", "/a/", "/a", True),
        ("Prefix", "/a", "/ab", False),
        ("ImplementationSpecific", "/a", "/ab", True),
    ],
)
def test_a_path_leads_as_its_type_says(kind: str, path: str, asked: str, leads: bool) -> None:
    text = SET.replace("path: /, pathType: Prefix", f"path: {path}, pathType: {kind}")
    app = Application("shop", "apps/shop.yaml", "shop.od.com", asked, 200, 120)
    if leads:
        check(text, app)
    else:
        with pytest.raises(InputError, match="anywhere"):
            check(text, app)
