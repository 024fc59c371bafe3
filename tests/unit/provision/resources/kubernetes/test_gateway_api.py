"""Routes of the Gateway API against its definitions: what the API would refuse, or leave out in silence."""

from __future__ import annotations

import pytest

from provision.resources.kubernetes.diff import parse
from provision.resources.kubernetes.gateway_api import Fault, faults
from provision.resources.kubernetes.lines import line_of

ROUTE = """\
apiVersion: v1
kind: Service
metadata: {name: shop}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs:
  - {name: site, namespace: kube-system}
  hostnames: [shop.od.com]
  rules:
  - matches:
    - path:
        type: PathPrefix
        value: /
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: X-Shop, value: a}]}
    backendRefs:
    - name: shop
      port: 80
"""
GRPC = ROUTE.replace("HTTPRoute", "GRPCRoute").replace(
    "    - path:\n        type: PathPrefix\n        value: /\n", "    - method: {service: shop.Orders, method: List}\n"
)


def first(text: str) -> tuple[Fault, int] | None:
    """The first fault of the second object, and its line."""
    found = next(faults(parse(text, "shop.yaml")[1]), None)
    return (found, line_of(text, 1, found.place)) if found else None


@pytest.mark.parametrize(
    "text",
    [
        ROUTE,
        GRPC,
        ROUTE.replace("io/v1\n", "io/v1beta1\n"),
        ROUTE.replace("        type: PathPrefix\n", ""),  # it has a default
        ROUTE.replace("      port: 80\n", "      kind: TraefikService\n      group: traefik.io\n"),
        ROUTE.replace("gateway.networking.k8s.io", "example.com").replace("rules", "rulse"),  # not of the Gateway API
    ],
)
def test_a_route_that_the_api_takes_has_no_fault(text: str) -> None:
    assert first(text) is None


@pytest.mark.parametrize(
    ("old", "new", "place", "found", "do", "line"),
    [
        ("  rules:", "  rule:", "spec.rule", "no field rule here", "Did you mean rules?", 12),
        ("  - matches:", "  - matchs:", "spec.rules.0.matchs", "no field matchs here", "Did you mean matches?", 13),
        ("    - path:", "    - paths:", "spec.rules.0.matches.0.paths", "no field paths", "mean path?", 14),
        (
            "PathPrefix",
            "Prefix",
            "spec.rules.0.matches.0.path.type",
            '"Prefix" is none of its values',
            "PathPrefix",
            15,
        ),
        ("backendRefs", "backendRef", "spec.rules.0.backendRef", "no field backendRef", "backendRefs?", 20),
        (
            "name: shop\n      port",
            "nam: shop\n      port",
            "spec.rules.0.backendRefs.0",
            "name is missing",
            "Add name",
            21,
        ),
        ("      port: 80\n", "", "spec.rules.0.backendRefs.0", "port is missing", "Add port", 21),
        ("port: 80", "port: http", "spec.rules.0.backendRefs.0.port", '"http" is no integer', "", 22),
        ("port: 80", "port: 80000", "spec.rules.0.backendRefs.0.port", "It is 80000", "from 1 to 65535", 22),
        ("port: 80", "servicePort: 80", "spec.rules.0.backendRefs.0.servicePort", "no field", "there are: ", 22),
        ("{name: site, ", "{gateway: site, ", "spec.parentRefs.0", "name is missing", "Add name", 10),
        ("[shop.od.com]", "[Shop_.od.com]", "spec.hostnames.0", "does not match", "", 11),
        ("[shop.od.com]", "shop.od.com", "spec.hostnames", "is no array", "", 11),
        ("io/v1\n", "io/v1alpha2\n", "apiVersion", "HTTPRoute is not in", "gateway.networking.k8s.io/v1", 5),
    ],
)
def test_a_fault_is_told_with_its_place_and_line(
    old: str, new: str, place: str, found: str, do: str, line: int
) -> None:
    told = first(ROUTE.replace(old, new, 1))
    assert told
    fault, at = told
    assert (".".join(map(str, fault.place)), at) == (place, line)
    assert found in fault.found
    assert do in fault.do


def test_a_mirror_needs_a_port_too() -> None:
    mirror = "    - type: RequestMirror\n      requestMirror: {backendRef: {name: shop}}\n    backendRefs"
    told = first(ROUTE.replace("    backendRefs", mirror))
    assert told
    assert told[0].place == ("spec", "rules", 0, "filters", 1, "requestMirror", "backendRef")


def test_a_field_of_http_is_none_of_grpc() -> None:
    told = first(GRPC.replace("    - method: {", "    - path: {value: /}\n      method: {"))
    assert told
    assert told[0].place[-1] == "path"


@pytest.mark.parametrize(
    ("text", "number", "line"),
    [
        ("kind: List\nitems:\n- kind: A\n  spec: 1\n---\nkind: B\nspec:\n  x: 1\n", 0, 4),
        ("kind: List\nitems:\n- kind: A\n  spec: 1\n---\nkind: B\nspec:\n  x: 1\n", 1, 7),
        ("", 0, 0),
        ("kind: A\n", 1, 0),
        ("kind: A\n", 0, 1),
    ],
)
def test_the_line_is_that_of_the_objects_own_value(text: str, number: int, line: int) -> None:
    assert line_of(text, number, ("spec",)) == line
