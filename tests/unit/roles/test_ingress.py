"""What an application's Ingresses have to be, told from the manifests alone."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from provision.resources.kubernetes import diff
from roles._applications import Application
from roles._ingress import Served, check_ingresses, check_paths
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


ROUTED = """
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: site, namespace: kube-system}]
  hostnames: [shop.od.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs: [{name: shop, port: 80}]
"""


def check(text: str, app: Application = SHOP, *, routes: bool = False) -> None:
    check_ingresses(diff.parse(text, app.manifests), app.manifests, app, SiteSettings(), Served(routes=routes))


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
        ("host: shop.od.com", "host: shpo.od.com", "no Ingress or HTTPRoute leads to.* shop.*instead of shpo.od.com"),
        ("kind: Ingress", "kind: IngressRoute", "those there have none"),
        ("path: /, pathType", "path: /x, pathType", "leads http://shop.od.com/ anywhere"),
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("matches: [{path: {type: PathPrefix, value: /}}]", "name: every"),
        ("type: PathPrefix", "type: Exact"),
        ("kube-system}", "kube-system, sectionName: web, port: 80}"),
        ("matches: [", "matches: [{method: POST, path: {value: /x}}, "),
        ("backendRefs: [{name: shop, port: 80}]", "filters: [{type: RequestRedirect}]"),
        ("backendRefs: [", "backendRefs: [{name: other, namespace: elsewhere, port: 1}, "),
    ],
)
def test_a_route_that_the_site_serves_is_taken(old: str, new: str) -> None:
    check(ROUTED.replace(old, new, 1) if old else ROUTED, routes=True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{name: site, namespace: kube-system}", "{name: site}", "Its parentRefs name site in default"),
        ("  parentRefs: [{name: site, namespace: kube-system}]\n", "", "Its parentRefs name none"),
        (
            "kube-system}",
            "kube-system, sectionName: https}",
            "say sectionName: https; the Gateway's only listener is web",
        ),
        ("kube-system}", "kube-system, port: 443}", "say port: 443"),
        ("[shop.od.com]", "[shop.example.com]", "shop.example.com is no name in od.com"),
        ("  hostnames: [shop.od.com]\n", "", "it would answer for every name of the site"),
        ("[shop.od.com]", "[gateway.od.com]", "takes requests for sites of the site's own"),
        ("{name: shop, port: 80}]\n", "{name: shpo, port: 80}]\n", "Did you mean shop"),
        ("{name: shop, port: 80}]\n", "{name: shop, port: 81}]\n", r"It is 81; the Service has 80 \(http\)"),
        ("value: /", "value: /x", "leads http://shop.od.com/ anywhere"),
    ],
)
def test_a_route_that_it_does_not_serve_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(ROUTED.replace(old, new), routes=True)


def test_a_route_is_refused_while_nothing_serves_routes() -> None:
    with pytest.raises(InputError, match=r"Set traefik\.gateway: true"):
        check(ROUTED)


@pytest.mark.parametrize(("asked", "leads"), [("/shop.Orders/List", True), ("/shop.Orders/Get", False)])
def test_a_route_of_grpc_leads_its_methods(asked: str, leads: bool) -> None:
    method = "method: {service: shop.Orders, method: List}"
    text = ROUTED.replace("HTTPRoute", "GRPCRoute").replace("path: {type: PathPrefix, value: /}", method)
    app = Application("shop", "apps/shop.yaml", "shop.od.com", asked, 200, 120)
    if leads:
        check(text, app, routes=True)
    else:
        with pytest.raises(InputError, match="anywhere"):
            check(text, app, routes=True)


REGEX = "annotations: {nginx.ingress.kubernetes.io/use-regex: 'true'}"
REWRITE = "annotations: {nginx.ingress.kubernetes.io/rewrite-target: /$2}"


@pytest.mark.parametrize(
    ("annotation", "path", "asked", "leads"),
    [
        (REGEX, "'/v[0-9]+/'", "/v12/x", True),
        (REGEX, "'/v[0-9]+/'", "/vx/x", False),
        (REGEX, "/API", "/api/x", True),  # without regard to case
        (REWRITE, "'/app(/|$)(.*)'", "/app/hostname", True),
        (REWRITE, "'/app(/|$)(.*)'", "/appx", False),
        (REGEX, "'/a(?P<x'", "/", True),  # Traefik's to judge
    ],
)
def test_a_path_of_ingress_nginx_is_a_regular_expression(annotation: str, path: str, asked: str, leads: bool) -> None:
    text = SET.replace("Ingress\nmetadata: {", "Ingress\nmetadata: {" + annotation + ", ")
    text = text.replace("path: /, pathType: Prefix", f"path: {path}, pathType: ImplementationSpecific")
    text = text.replace("ingressClassName: traefik", "ingressClassName: nginx")
    app = Application("shop", "apps/shop.yaml", "shop.od.com", asked, 200, 120)
    objects, served = diff.parse(text, app.manifests), Served(("traefik", "nginx"))
    if leads:
        check_ingresses(objects, app.manifests, app, SiteSettings(), served)
    else:
        with pytest.raises(InputError, match="anywhere"):
            check_ingresses(objects, app.manifests, app, SiteSettings(), served)


def ingress(name: str, path: str = "/", more: str = "") -> str:
    backend = "{service: {name: shop, port: {number: 80}}}"
    rule = f"{{host: shop.od.com, http: {{paths: [{{path: {path}, pathType: Prefix, backend: {backend}}}]}}}}"
    kind = f"{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: {name}}}"
    return f"{kind}, spec: {{{more}rules: [{rule}]}}}}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ingress("a"), ingress("b", "/api")),
        (ingress("a", more="ingressClassName: nginx, "), ingress("b", more="ingressClassName: nginx, ")),  # a canary
    ],
)
def test_ingresses_of_one_host_lead_paths_of_their_own(first: str, second: str) -> None:
    check_paths({"a.yaml": diff.parse(first, "a.yaml"), "b.yaml": diff.parse(second, "b.yaml")})


def test_a_path_that_two_ingresses_lead_is_refused() -> None:
    said = r"b.yaml: Ingress b leads a path.*shop.od.com/ \(Prefix\) is led by Ingress a too, in a.yaml"
    with pytest.raises(InputError, match=said):
        check_paths({"a.yaml": diff.parse(ingress("a"), "a.yaml"), "b.yaml": diff.parse(ingress("b"), "b.yaml")})
    both = diff.parse(f"{ingress('a')}\n---\n{ingress('b')}", "a.yaml")
    with pytest.raises(InputError, match=r"is led by Ingress a too\. Leave it"):
        check_paths({"a.yaml": both})
