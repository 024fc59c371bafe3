"""`ingress.migrate`: what becomes of each kind of object, what is said of it, and on which line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hdss7.ingress.documents import parse, read
from hdss7.ingress.migrate import to_yaml
from hdss7.ingress.objects import migrate
from provision.errors import InputError
from provision.resources.kubernetes.schema import check_objects
from tests.unit.hdss7.ingress.old import ANNOTATIONS, OLD, ingress
from tests.unit.hdss7.test_bad_usage import invoke

V1_7 = Path(__file__).parent / "v1_7"
FILES = sorted(V1_7.glob("*.yaml"))


def one(item: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """What one object becomes, the objects beside it, and what is said."""
    objects, notes = migrate(parse(yaml.safe_dump(item), "a.yaml"), "3.7.15")
    return objects[0], objects[1:], [str(note) for note in notes]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_the_api_takes_what_manifests_of_1_7_become(file: Path) -> None:
    objects, _ = migrate(read([str(file)]), "3.7.15")
    check_objects(objects, file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_what_was_migrated_is_not_changed_again(file: Path) -> None:
    once, _ = migrate(read([str(file)]), "3.7.15")
    twice, notes = migrate(parse(to_yaml(once), "once.yaml"), "3.7.15")
    assert (twice, [str(note) for note in notes]) == (once, [])


def test_every_note_names_the_line_that_it_is_about() -> None:
    file = V1_7 / "course.yaml"
    lines = file.read_text().splitlines()
    _, notes = migrate(read([str(file)]), "3.7.15")
    said = {note.text: lines[int(note.line.rpartition(":")[2]) - 1] for note in notes}
    assert said["apiVersion extensions/v1beta1 -> networking.k8s.io/v1"] == "apiVersion: extensions/v1beta1"
    assert (
        "--traefiklog.filepath"
        in said["--traefiklog.filepath=/var/log/traefik.log -> --log.filepath=/var/log/traefik.log"]
    )
    assert "ingress.class: traefik" in said["kubernetes.io/ingress.class -> spec.ingressClassName: traefik"]
    assert "[ingresses]" in said["apiGroup extensions -> networking.k8s.io"]


def test_a_daemonset_keeps_its_update_strategy_and_gets_a_selector() -> None:
    course = {item["kind"]: item for item in migrate(read([str(V1_7 / "course.yaml")]), "3.7.15")[0]}
    spec = course["DaemonSet"]["spec"]
    assert spec["updateStrategy"] == {"type": "OnDelete"}
    assert spec["selector"] == {"matchLabels": spec["template"]["metadata"]["labels"]}
    assert course["IngressClass"]["spec"] == {"controller": "traefik.io/ingress-controller"}


def test_traefik_may_read_what_it_needs() -> None:
    role = migrate(read([str(V1_7 / "rbac.yaml")]), "3.7.15")[0][0]
    allowed = {(group, name) for rule in role["rules"] for group in rule["apiGroups"] for name in rule["resources"]}
    assert allowed >= {("", "services"), ("", "secrets"), ("", "nodes"), ("discovery.k8s.io", "endpointslices")}
    assert allowed >= {("networking.k8s.io", "ingresses"), ("networking.k8s.io", "ingressclasses")}
    assert not {"extensions", "endpoints"} & {word for pair in allowed for word in pair}


def test_an_annotation_becomes_a_middleware_that_the_ingress_names() -> None:
    item, (middleware,), said = one(ingress({f"traefik.{OLD}rule-type": "PathPrefixStrip"}))
    assert middleware["metadata"] == {"name": "web-strip", "namespace": "shop"}
    assert middleware["spec"] == {"stripPrefix": {"prefixes": ["/app/long", "/app"]}}
    assert item["metadata"]["annotations"] == {
        "traefik.ingress.kubernetes.io/router.middlewares": "shop-web-strip@kubernetescrd"
    }
    assert any("kubernetes-crd-definition-v1.yml" in line for line in said)


@pytest.mark.parametrize("given", ANNOTATIONS, ids=lambda given: next(iter(given)).rpartition("/")[2])
def test_no_annotation_of_1_7_is_forgotten(given: Mapping[str, str]) -> None:
    item, _, said = one(ingress(given))
    assert not set(given) & set(item["metadata"].get("annotations", {}))
    for annotation in given:
        assert any(annotation in line for line in said), annotation


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ({"rewrite-target": "/"}, {"replacePathRegex": {"regex": "^(?:/app/long|/app)(.*)", "replacement": "${1}"}}),
        (
            {"rewrite-target": "/a$b"},
            {"replacePathRegex": {"regex": "^(?:/app/long|/app)(.*)", "replacement": "/a$$b${1}"}},
        ),
        (
            {"redirect-regex": "^http://(.*)", "redirect-replacement": "https://$1x"},
            {"redirectRegex": {"regex": "^http://(.*)", "replacement": "https://${1}x", "permanent": False}},
        ),
        ({"max-conn-amount": "9", "max-conn-extractor-func": "request.host"}, None),
    ],
)
def test_a_middleware_says_what_the_annotation_said(given: dict[str, str], spec: dict[str, Any] | None) -> None:
    _, made, _ = one(ingress({f"{OLD}{name}": value for name, value in given.items()}))
    assert made[0]["spec"] == (spec or made[0]["spec"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"auth-type": "magic"}, "auth-type 'magic' is none of basic, digest and forward"),
        ({"auth-type": "basic"}, "auth-secret is missing"),
        ({"custom-request-headers": "no-colon"}, "'no-colon' is no NAME:value"),
        ({"rate-limit": "rateset: {a: {}, b: {}}"}, "one rate a Middleware"),
        ({"rate-limit": "][", "priority": "3"}, "the value is no YAML mapping"),
        ({"redirect-entry-point": "other"}, "redirects to a scheme"),
        ({"hsts-max-age": "long"}, "'long' is no number"),
        ({"error-pages": "a: {}"}, "has no successor: make a Middleware with spec.errors"),
        ({"service-weights": "a: 1"}, "has no successor: make a TraefikService"),
        ({"nonsense": "1"}, "it is no annotation of Traefik 1.7"),
    ],
)
def test_an_annotation_that_can_not_be_written_is_lost_and_said(given: dict[str, str], said: str) -> None:
    item, _, lines = one(ingress({f"{OLD}{name}": value for name, value in given.items()}))
    assert any(said in line and "LOST: " in line for line in lines), lines
    assert not any(name.startswith(OLD) for name in item["metadata"].get("annotations", {}))


def test_a_service_keeps_its_sticky_sessions() -> None:
    annotations = {f"traefik.{OLD}affinity": "true", f"traefik.{OLD}session-cookie-name": "who"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "annotations": annotations}}
    item, made, _ = one({**service, "spec": {"ports": [{"port": 80}]}})
    prefix = "traefik.ingress.kubernetes.io/service.sticky.cookie"
    assert (item["metadata"]["annotations"], made) == ({prefix: "true", f"{prefix}.name": "who"}, [])


def test_an_ingress_without_a_class_is_served_only_where_1_7_served_it() -> None:
    assert one(ingress({}))[0]["spec"]["ingressClassName"] == "traefik"
    internal = (V1_7 / "everything.yaml").read_text() + "---\n" + yaml.safe_dump(ingress({}))
    objects, notes = migrate(parse(internal, "a.yaml"), "3.7.15")
    assert "ingressClassName" not in objects[1]["spec"]
    assert any("serves class traefik-internal only" in note.text for note in notes)


def test_middlewares_bring_the_provider_and_the_rights_that_they_need() -> None:
    text = (V1_7 / "course.yaml").read_text() + "---\n" + yaml.safe_dump(ingress({f"{OLD}ssl-redirect": "true"}))
    objects = {item["kind"]: item for item in migrate(parse(text, "a.yaml"), "3.7.15")[0]}
    container = objects["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]
    assert "--providers.kubernetescrd=true" in container["args"]
    assert any("middlewares" in rule["resources"] for rule in objects["ClusterRole"]["rules"])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [", "a.yaml:2:1", "the manifest is not YAML"),
        ("kind: Ingress\nmetadata: {name: a}", "a.yaml:1", "has no apiVersion"),
        ("\n---\n- 1", "a.yaml:3", "is no object"),
        ("apiVersion: v1\nkind: Service\nmetadata: {}", "a.yaml:1", "has no metadata.name"),
        ("&a [*a]", "a.yaml:1", "the document is no manifest"),
        (
            "apiVersion: extensions/v1beta1\nkind: DaemonSet\nmetadata: {name: a}\nspec: 3",
            "a.yaml:4",
            "no spec.template",
        ),
        ("b: 1\na\x00: 1", "a.yaml:2", "the manifest is not YAML"),
        ("a: !!binary aGVsbG8=", "a.yaml:1", "the manifest is no JSON"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_line(text: str, line: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        migrate(parse(text, "a.yaml"), "3.7.15")
    assert raised.value.explanation.line == line


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ("spec", "template", "metadata", "annotations", "labels", "containers", "image", "args", "command", "rules",
         "http", "paths", "path", "backend", "serviceName", "servicePort", "apiGroups", "resources", "tls", "data")
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(kind=st.sampled_from(("DaemonSet", "Ingress", "ClusterRole", "Service", "ConfigMap")), spec=PLAIN, rest=PLAIN)
def test_no_object_of_any_shape_ends_in_a_traceback(kind: str, spec: Any, rest: Any) -> None:
    item = {"apiVersion": "extensions/v1beta1", "kind": kind, "metadata": {"name": "a", "annotations": rest}}
    item |= {"spec": spec, "rules": rest, "data": rest}
    with contextlib.suppress(InputError):
        migrate(parse(yaml.safe_dump(item), "a.yaml"), "3.7.15")


def test_the_command_prints_yaml_and_says_the_rest_on_standard_error(tmp_path: Path) -> None:
    done = invoke(tmp_path, "ingress.migrate", "--file", str(V1_7 / "ui.yaml"), "--file", str(V1_7 / "daemonset.yaml"))
    assert done.returncode == 0, done
    kinds = [item["kind"] for item in yaml.safe_load_all(done.stdout)]
    assert kinds == ["Service", "Ingress", "ServiceAccount", "DaemonSet", "Service", "IngressClass"]
    assert done.stderr.splitlines()[-1].startswith("ingress.migrate: 6 objects for Traefik 3.7.15: ")


def test_the_command_ends_with_1_when_something_is_lost(tmp_path: Path) -> None:
    out = tmp_path / "new.yaml"
    words = ("ingress.migrate", "--file", str(V1_7 / "everything.yaml"), "--output", str(out), "--json")
    done = invoke(tmp_path, *words)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["exit"], answer["manifests"]) == (1, 1, out.read_text())
    assert {"how": "lost"}.items() <= next(note for note in answer["notes"] if "--tracing" in note["text"]).items()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "ingress.migrate needs the files to read"),
        (("--file", "nowhere.yaml"), "--file nowhere.yaml can't be read. No such file"),
        (("--file", "docs"), "--file docs can't be read. It is a folder"),
        (("--file", "/dev/null"), "there is no object in what --file names"),
        (("--file", str(V1_7 / "ui.yaml"), "--output", "/nowhere/a"), "--output /nowhere/a can't be written"),
    ],
)
def test_the_command_refuses_in_one_paragraph(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = invoke(tmp_path, "ingress.migrate", *words)
    assert (done.returncode, done.stdout) == (4, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
