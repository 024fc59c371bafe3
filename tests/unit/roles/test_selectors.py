"""Whether workloads, Services and pods of an application fit together, told from the manifests alone."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from provision.resources.kubernetes import diff
from roles._selectors import check_selectors

SET = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop, tier: web}}
    spec: {containers: [{name: shop, image: shop, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}
"""
SIDECAR = (
    "initContainers: [{name: proxy, image: proxy, restartPolicy: Always, ports: [{name: mtls, containerPort: 9}]}]"
)
OWN_KIND = "---\n{apiVersion: example.org/v1, kind: Database, metadata: {name: db}}\n"


def check(text: str, namespaces: frozenset[str] = frozenset()) -> None:
    check_selectors(diff.parse(text, "apps/shop.yaml"), "apps/shop.yaml", namespaces)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("selector: {app: shop}, ports", "selector: {app: shop, tier: web}, ports"),
        ("selector: {app: shop}, ports", "ports"),  # its endpoints are written by hand
        ("targetPort: http", "targetPort: 8080"),
        ("targetPort: http", "targetPort: '8080'"),
        (", targetPort: http", ""),
        ("spec: {containers", f"spec: {{{SIDECAR}, containers"),
        ("metadata: {name: shop}\nspec: {selector", "metadata: {name: shop, namespace: default}\nspec: {selector"),
        ("selector: {app: shop}, ports: [{port: 80, targetPort: http}]}", "selector: {app: db}}\n" + OWN_KIND),
    ],
)
def test_a_set_that_fits_together_is_taken(old: str, new: str) -> None:
    assert old in SET
    check(SET.replace(old, new, 1) if old else SET)


def test_a_job_needs_no_selector_and_its_pods_count() -> None:
    pods = "{metadata: {labels: {app: job}}, spec: {containers: []}}"
    job = f"{{apiVersion: batch/v1, kind: Job, metadata: {{name: a}}, spec: {{template: {pods}}}}}"
    cron = job.replace("kind: Job", "kind: CronJob").replace(
        f"{{template: {pods}}}", f"{{jobTemplate: {{spec: {{template: {pods}}}}}}}"
    )
    service = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {selector: {app: job}}}"
    for made in (job, cron):
        check(f"{made}\n---\n{service}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("labels: {app: shop,", "labels: {app: shpo,", "Deployment shop does not select its own pods"),
        (
            "selector: {app: shop}, ports",
            "selector: {app: shpo}, ports",
            "Service shop selects no pod.*app: shpo; .*app: shop",
        ),
        ("selector: {app: shop}, ports", "selector: {app: shop, tier: db}, ports", "Service shop selects no pod"),
        ("targetPort: http", "targetPort: web", "Its targetPort is web; the containers name http"),
        (
            "{name: http, containerPort: 8080}",
            "{containerPort: 8080}",
            "Its targetPort is http; the containers name none",
        ),
        ("{name: shop}\nspec: {selector", "{name: shop, namespace: kube-system}\nspec: {selector", "have none"),
        (
            "{name: shop}\nspec: {selector",
            "{name: shop, namespace: shop}\nspec: {selector",
            "Add an object of kind Namespace",
        ),
        ("{name: shop}\nspec: {selector", "{name: shop, namespace: defualt}\nspec: {selector", "Did you mean default"),
    ],
)
def test_a_set_that_does_not_is_named(old: str, new: str, said: str) -> None:
    assert SET.count(old) == 1, old
    with pytest.raises(InputError, match=said) as error:
        check(SET.replace(old, new))
    assert str(error.value).startswith("apps/shop.yaml: ")


def test_a_namespace_of_this_set_or_of_another_application_is_there() -> None:
    moved = SET.replace("{name: shop}", "{name: shop, namespace: shop}")
    check(moved + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n")
    check(moved, frozenset(["shop"]))
