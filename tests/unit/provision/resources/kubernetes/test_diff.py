"""Manifests: what counts as equal, and what is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provision.errors import InputError
from provision.resources.kubernetes.diff import LAST_APPLIED, differences, identity, parse, quantity
from provision.resources.kubernetes.schema import check_objects

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "nginx-ds", "namespace": "default"},
    "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 8000}], "selector": {"app": "nginx-ds"}},
}


def live(**spec: Any) -> dict[str, Any]:
    """The Service as the API server gives it back: defaults filled in."""
    port = {"port": 80, "nodePort": 8000, "protocol": "TCP", "targetPort": 80}
    full = {"type": "NodePort", "ports": [port], "selector": {"app": "nginx-ds"}, "clusterIP": "192.168.3.4", **spec}
    return {**SERVICE, "metadata": {**SERVICE["metadata"], "uid": "1", "resourceVersion": "9"}, "spec": full}


def test_fields_that_the_api_fills_in_are_no_difference() -> None:
    assert differences(SERVICE, live()) == {}


@pytest.mark.parametrize(
    ("declared", "actual", "path"),
    [
        ({"type": "NodePort"}, {"type": "ClusterIP"}, "spec.type"),
        ({"replicas": 2}, {"replicas": 1}, "spec.replicas"),
        ({"paused": True}, {}, "spec.paused"),
        ({"args": ["a", "b"]}, {"args": ["a"]}, "spec.args"),
        ({"args": ["a", "b"]}, {"args": ["a", "c"]}, "spec.args[1]"),
        ({"labels": {"a": "1"}}, {"labels": None}, "spec.labels"),
        ({"cpu": "100m"}, {"cpu": "0.2"}, "spec.cpu"),
    ],
)
def test_a_declared_field_that_is_otherwise_on_the_cluster_is_named(declared: Any, actual: Any, path: str) -> None:
    assert list(differences({**SERVICE, "spec": declared}, {**SERVICE, "spec": actual})) == [path]


@pytest.mark.parametrize(
    ("declared", "actual"),
    [
        ({"cpu": "100m"}, {"cpu": "0.1"}),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}),
        ({"x": ""}, {}),
        ({"hostNetwork": False}, {}),
        ({"emptyDir": {}}, {"emptyDir": {}}),
        ({"tolerations": []}, {}),
    ],
)
def test_what_means_the_same_is_no_difference(declared: Any, actual: Any) -> None:
    assert differences({**SERVICE, "spec": declared}, {**SERVICE, "spec": actual}) == {}


def test_a_field_no_longer_declared_is_removed() -> None:
    before = {**SERVICE, "spec": {**SERVICE["spec"], "externalTrafficPolicy": "Local"}}
    actual = live(externalTrafficPolicy="Local", sessionAffinity="None")
    actual["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(before)}
    assert differences(SERVICE, actual) == {"spec.externalTrafficPolicy": ("Local", None)}


def test_the_namespace_that_kubectl_adds_is_no_difference() -> None:
    declared = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    applied = {**declared, "metadata": {"name": "web", "namespace": "default", "annotations": {}}}
    annotations = {LAST_APPLIED: json.dumps(applied)}
    actual = {**declared, "metadata": {"name": "web", "namespace": "default", "annotations": annotations}}
    assert differences(declared, actual) == {}


def test_a_secret_is_compared_as_the_api_keeps_it() -> None:
    declared = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "v"}}
    assert differences(declared, {**declared, "data": {"k": "dg=="}}) == {}
    assert list(differences(declared, {**declared, "data": {"k": "eA=="}})) == ["data.k"]


@pytest.mark.parametrize(("text", "number"), [("2", 2), ("100m", "0.1"), ("1Ki", 1024), ("2k", 2000), ("TCP", None)])
def test_quantities_are_read_as_kubernetes_reads_them(text: str, number: Any) -> None:
    from decimal import Decimal

    assert quantity(text) == (None if number is None else Decimal(number))


def test_a_stream_of_documents_and_lists_is_unfolded() -> None:
    text = "---\n\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
    assert [identity(item) for item in parse(text, "x.yaml")] == [("Pod", "", "a")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: b: c", "x.yaml:1:5"),
        ("kind: Pod\nmetadata: {name: a}\n", "no apiVersion"),
        ("apiVersion: v1\nkind: Pod\nmetadata: a\n", "no metadata.name"),
        ("- apiVersion: v1\n", "no object"),
        ("only words", "no object"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n", "no metadata.name"),
    ],
)
def test_what_is_no_manifest_is_refused_where_it_stands(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse(text, "x.yaml")


def manifest(text: str) -> None:
    check_objects(parse(text, "templates/traefik/traefik.yaml.j2"), "templates/traefik/traefik.yaml.j2")


def test_the_course_s_misspelt_lables_is_named_with_what_was_meant() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  lables: {k8s-app: traefik}\n"
    with pytest.raises(InputError, match=r"traefik\.yaml\.j2.*lables is probably meant to be labels"):
        manifest(text)


@pytest.mark.parametrize(
    ("version", "kind", "present"),
    [
        ("extensions/v1beta1", "DaemonSet", "apps/v1"),
        ("extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
        ("rbac.authorization.k8s.io/v1beta1", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    ],
)
def test_an_old_api_version_is_named_with_its_successor(version: str, kind: str, present: str) -> None:
    with pytest.raises(InputError, match=f"is gone since Kubernetes 1.*{present}"):
        manifest(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n")


def test_a_good_manifest_and_a_custom_resource_pass() -> None:
    manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: b}}\n")
    manifest("apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: a}\nspec: {}\n")


@pytest.mark.parametrize(
    ("version", "refused"), [("1.28.3", False), ("1.29.0", True), ("1.35.4", True), ("", True), ("1.99.0", True)]
)
def test_an_api_that_the_version_has_not_is_refused(
    version: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta2\nkind: FlowSchema\nmetadata: {name: mine}\n"
    objects = parse(text, "templates/mine.yaml.j2")
    if refused:
        with pytest.raises(InputError, match=r"has no flowcontrol.apiserver.k8s.io/v1beta2 FlowSchema") as error:
            check_objects(objects, "templates/mine.yaml.j2", version)
        assert "1.28" in error.value.explanation.found
    else:
        check_objects(objects, "templates/mine.yaml.j2", version)


def test_a_custom_resource_is_its_api_servers_to_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    check_objects(parse("apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: a}\n", "x"), "x")
