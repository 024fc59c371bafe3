"""What is made of Ingresses, held against what a real Traefik made of them (record_ingress.py)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.urltrace.record_ingress import FLAGS, endpoints, ingress, objects, service
from urltrace.kubernetes.objects import Objects, read_objects
from urltrace.request import Request
from urltrace.traefik.access import missing_access
from urltrace.traefik.change import foretell
from urltrace.traefik.ingress import read_ingress, read_ingresses
from urltrace.traefik.provider import Provider, read_provider
from urltrace.traefik.routers import read_rawdata

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded").joinpath("ingress.json").read_text())
KINDS = ("Ingress", "IngressClass", "Service", "EndpointSlice")
OBJECTS = read_objects(RECORDED["objects"], KINDS)
CLASS = {
    "kind": "IngressClass",
    "metadata": {"name": "traefik"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
ROOT = [("/", "Prefix", "web", 80)]


def provider_of(flags: list[str]) -> Provider:
    return read_provider(["--entrypoints.web.address=:80", "--entrypoints.traefik.address=:8080", *flags])


def test_the_recorded_objects_are_those_of_the_recorder() -> None:
    assert read_objects(objects(), KINDS) == OBJECTS
    assert RECORDED["flags"] == FLAGS


@pytest.mark.parametrize("case", FLAGS)
def test_an_ingress_becomes_the_routers_that_traefik_lists(case: str) -> None:
    provider = provider_of(FLAGS[case])
    made = {router.name: router for read in read_ingresses(OBJECTS, provider) for router in read.routers}
    listed = {router.name: router for router in read_rawdata(json.dumps(RECORDED["loaded"][case])).routers}
    assert set(made) == set(listed)
    for name, router in listed.items():
        found = made[name]
        assert (found.rule, found.rank, found.service, found.tls) == (
            router.rule,
            router.rank,
            router.service,
            router.tls,
        )
        assert sorted(found.entrypoints) == sorted(router.entrypoints)
        assert found.ingress == (router.ingress or found.ingress)


def test_a_label_selector_skips_what_it_does_not_match() -> None:
    reads = read_ingresses(OBJECTS, provider_of(FLAGS["strict"]))
    assert [read.ingress.metadata.name for read in reads if not read.refusals] == [
        "labelled",
        "empty-labelled",
        "long-prefix",
    ]


@pytest.mark.parametrize(
    ("name", "cause", "words"),
    [
        ("wrong-class", "class", "its class is graefik, and this Traefik takes traefik only"),
        ("other-annotation", "class", "says nginx, and this Traefik takes traefik"),
        ("no-class", "class", "it has no class"),
        ("no-service", "service", "Service default/missing does not exist"),
        ("wrong-port", "port", "Service default/web has no port 8080, only 80 (http)"),
        ("wrong-name", "port", "has no port https"),
        ("unready", "endpoints", "none of the 1 pods of Service unready is ready"),
        ("misnamed", "endpoints", "names the ports web, not 'http'"),
        ("external", "service", "is an ExternalName"),
        ("bad-matcher", "annotation", "router.pathmatcher is 'X'"),
    ],
)
def test_an_ingress_without_a_router_says_why(name: str, cause: str, words: str) -> None:
    found = next(one for one in OBJECTS.ingresses or () if one.metadata.name == name)
    (refusal,) = read_ingress(found, OBJECTS, provider_of(FLAGS["class"])).refusals
    assert refusal.cause == cause
    assert words in refusal.sentence
    assert refusal.do


@pytest.mark.parametrize(
    ("name", "words"),
    [("wrong-class", "IngressClass graefik does not exist"), ("foreign-class", "belongs to k8s.io/x")],
)
def test_a_class_is_looked_up_when_any_is_taken(name: str, words: str) -> None:
    found = next(one for one in OBJECTS.ingresses or () if one.metadata.name == name)
    (refusal,) = read_ingress(found, OBJECTS, provider_of(FLAGS["any"])).refusals
    assert words in refusal.sentence


def test_what_was_not_asked_is_not_missing() -> None:
    unasked = Objects(ingresses=OBJECTS.ingresses)
    reads = read_ingresses(unasked, provider_of(FLAGS["class"]))
    assert {refusal.cause for read in reads for refusal in read.refusals} == {"class", "annotation"}


def test_a_missing_secret_is_a_warning() -> None:
    found = next(one for one in OBJECTS.ingresses or () if one.metadata.name == "tls")
    without = replace(OBJECTS, missing_secrets=frozenset({"default/missing"}))
    read = read_ingress(found, without, provider_of(FLAGS["class"]))
    assert read.routers
    assert [one.cause for one in read.warnings] == ["secret"]


def pod(name: str, labels: dict[str, str], **status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "default", "labels": labels}, "status": status}


def test_a_selector_that_matches_no_pod_shows_the_nearest_labels() -> None:
    held = read_objects(
        [
            CLASS,
            ingress("demo", [("/", "Prefix", "demo", 80)]),
            service("demo", (80, "")),
            endpoints("demo"),
            pod("demo-1", {"name": "demo"}),
            pod("other-1", {"app": "else"}),
        ],
        (*KINDS, "Pod"),
    )
    (read,) = read_ingresses(held, provider_of(FLAGS["class"]))
    assert read.refusals[0].sentence == (
        "no pod in default has the labels app=demo that Service demo selects; the nearest have app=else"
    )


def test_a_crash_loop_is_named() -> None:
    waiting = {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
    held = read_objects(
        [
            CLASS,
            ingress("demo", [("/", "Prefix", "demo", 80)]),
            service("demo", (80, "")),
            endpoints("demo", ("172.7.21.2", {"ready": False, "serving": False})),
            pod("demo-1", {"app": "demo"}, **waiting),
        ],
        (*KINDS, "Pod"),
    )
    (read,) = read_ingresses(held, provider_of(FLAGS["class"]))
    assert "none of the 1 pods of Service demo is ready: CrashLoopBackOff" in read.refusals[0].sentence


def test_a_change_says_whose_requests_it_takes() -> None:
    before = read_objects(
        [
            CLASS,
            ingress("shop", ROOT, host="shop.od.com"),
            service("web", (80, "http")),
            endpoints("web", ("172.7.21.2", {}), port=("http", 80)),
        ],
        KINDS,
    )
    change = read_objects([ingress("thief", [("/below", "Prefix", "web", 80)], host="shop.od.com")])
    found = foretell(Request("shop.od.com"), before, change, provider_of(FLAGS["class"]), "web")
    assert found.before.winner == found.after.winner
    assert [str(one) for one in found.takeovers] == [
        "GET http://shop.od.com/below: default/shop -> default/thief",
        "GET http://shop.od.com/below/below: default/shop -> default/thief",
    ]


def test_a_change_that_is_not_loaded_changes_nothing() -> None:
    before = read_objects([ingress("shop", ROOT), service("web", (80, "http"))], KINDS)
    change = read_objects([ingress("new", ROOT, ingressClassName="other")])
    found = foretell(Request("a.od.com"), before, change, provider_of(FLAGS["class"]), "web")
    assert not found.takeovers
    assert [refusal.cause for refusal in found.reads[0].refusals] == ["class"]


def test_two_ingresses_for_one_host_and_path_are_tied() -> None:
    held = [service("web", (80, "http")), endpoints("web", ("172.7.21.2", {}), port=("http", 80))]
    before = read_objects([CLASS, ingress("one", ROOT), *held], KINDS)
    change = read_objects([ingress("two", ROOT)])
    found = foretell(Request("a.od.com"), before, change, provider_of(FLAGS["class"]), "web")
    assert found.after.tied


def test_a_new_ingress_gets_the_default_class() -> None:
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    classes = {**CLASS, "metadata": {"name": "traefik", "annotations": default}}
    held = [service("web", (80, "http")), endpoints("web", ("172.7.21.2", {}), port=("http", 80))]
    before = read_objects([classes, *held], KINDS)
    change = read_objects([ingress("new", ROOT, ingressClassName=None)])
    assert foretell(Request("a.od.com"), before, change, provider_of(FLAGS["class"]), "web").after.winner


def test_missing_access_names_the_verb_and_the_resource() -> None:
    account, verbs = "kube-system/traefik", ["list", "watch"]
    role = {
        "kind": "ClusterRole",
        "metadata": {"name": "traefik"},
        "rules": [
            {"apiGroups": [""], "resources": ["services", "secrets", "nodes"], "verbs": verbs},
            {"apiGroups": ["networking.k8s.io"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
        ],
    }
    binding = {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "traefik"},
        "roleRef": {"kind": "ClusterRole", "name": "traefik"},
        "subjects": [{"kind": "ServiceAccount", "name": "traefik", "namespace": "kube-system"}],
    }
    held = read_objects([role, binding])
    assert missing_access(account, held.roles or (), held.bindings or (), Provider()) == (
        "watch endpointslices.discovery.k8s.io",
    )
    assert len(missing_access("default/other", held.roles or (), held.bindings or (), Provider())) == 12
