"""What runs in the cluster: CoreDNS, Traefik, the course's nginx, and the ports they may have."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from provision.errors import InputError
from provision.resources import Manifests
from tests.unit.conftest import Declared

Object = Mapping[str, Any]


def objects(declared: Declared, role: str, name: str, *extra: str) -> dict[str, Object]:
    found = declared("hdss7-21", role, *extra, made=False)[f"Manifests {name}"]
    assert isinstance(found, Manifests)
    return {f"{item['kind']} {item['metadata']['name']}": item for item in found.objects}


def test_coredns_has_the_clusters_address_and_asks_bind_for_the_rest(declared: Declared) -> None:
    found = objects(declared, "coredns", "coredns")
    assert found["Service coredns"]["spec"]["clusterIP"] == "192.168.0.2"
    corefile = found["ConfigMap coredns"]["data"]["Corefile"]
    assert "    forward . 10.4.7.11\n" in corefile
    assert "    kubernetes cluster.local 192.168.0.0/16\n" in corefile
    assert found["Deployment coredns"]["spec"]["replicas"] == 2


def test_a_cluster_that_stands_already_keeps_its_own_dns(declared: Declared) -> None:
    assert declared("hdss7-21", "coredns", "site.managed=false", made=False) == {}


def test_traefik_may_ask_for_exactly_what_it_asks_for(declared: Declared) -> None:
    rules = objects(declared, "traefik", "traefik")["ClusterRole traefik-ingress-controller"]["rules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {
        *("services", "secrets", "nodes", "endpointslices", "ingresses", "ingressclasses")
    }
    assert {verb for rule in rules for verb in rule["verbs"]} == {"list", "watch"}


def test_traefiks_pod_outlives_its_graceful_stop(declared: Declared) -> None:
    pods = objects(declared, "traefik", "traefik")["DaemonSet traefik-ingress"]["spec"]["template"]["spec"]
    arguments = dict(a.removeprefix("--").split("=", 1) for a in pods["containers"][0]["args"])
    lifecycle = "entrypoints.web.transport.lifecycle"
    goodbye = sum(
        int(arguments[f"{lifecycle}.{part}"].removesuffix("s"))
        for part in ("requestacceptgracetimeout", "gracetimeout")
    )
    assert pods["terminationGracePeriodSeconds"] > goodbye


def test_only_the_edge_is_believed_who_asked(declared: Declared) -> None:
    pods = objects(declared, "traefik", "traefik")["DaemonSet traefik-ingress"]["spec"]["template"]["spec"]
    assert "--entrypoints.web.forwardedheaders.trustedips=10.4.7.11" in pods["containers"][0]["args"]


def test_traefiks_pods_move_only_when_they_are_told_to(declared: Declared) -> None:
    found = objects(declared, "traefik", "traefik")["DaemonSet traefik-ingress"]
    assert found["spec"]["updateStrategy"] == {"type": "OnDelete"}
    ports = found["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert {"name": "controller", "containerPort": 80, "hostPort": 81} in ports


def test_a_deployment_of_traefik_takes_the_daemonsets_place(declared: Declared) -> None:
    resources = declared("hdss7-21", "traefik", "traefik.kind=Deployment", made=False)
    other, chosen = resources["Manifests traefik-other-kind"], resources["Manifests traefik"]
    assert (other.absent, other.objects[0]["kind"]) == (True, "DaemonSet")
    assert "Deployment" in {item["kind"] for item in chosen.objects}
    assert list(resources).index(other.key) < list(resources).index(chosen.key)


def test_traefik_is_ready_once_every_node_serves_it(declared: Declared) -> None:
    rollout = declared("hdss7-21", "traefik", made=False)["Rollout DaemonSet kube-system/traefik-ingress"]
    for node in ("10.4.7.21", "10.4.7.22"):
        assert f"-H 'Host: traefik.od.com' http://{node}:81/dashboard/" in rollout.ready


@pytest.mark.parametrize(
    ("key", "name"), [("DaemonSet default/nginx-ds", "nginx"), ("Deployment default/demo", "demo")]
)
def test_a_url_is_ready_once_every_node_has_its_route(declared: Declared, key: str, name: str) -> None:
    ready = declared("hdss7-21", "nginx_ds", made=False)[f"Rollout {key}"].ready
    for node in ("10.4.7.21", "10.4.7.22"):
        assert re.search(rf"-H 'Host: {name}\.od\.com' http://{node}:81/", ready)


@pytest.mark.parametrize(("answer", "reached"), [("200", True), ("426", True), ("404", False), ("503", False)])
def test_a_way_that_one_node_lacks_is_told_by_its_url(declared: Declared, answer: str, reached: bool) -> None:
    ready = declared("hdss7-21", "nginx_ds", made=False)["Rollout Deployment default/demo"].ready
    curl = f'curl() {{ case $* in *7.22*) code={answer};; *) code=200;; esac; echo "$code for demo from there"; }}'
    done = subprocess.run(["sh", "-c", f"{curl}\n{ready}"], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is reached
    assert done.stdout == ("" if reached else f"{answer} for demo from there\n")


def test_the_courses_workload_is_reached_at_port_8000_of_every_node(declared: Declared) -> None:
    found = objects(declared, "nginx_ds", "nginx-ds")
    assert found["Service nginx-ds"]["spec"]["ports"][0]["nodePort"] == 8000
    assert found["Service nginx-dp"]["metadata"]["namespace"] == "kube-public"
    hosts = {i["spec"]["rules"][0]["host"] for key, i in found.items() if key.startswith("Ingress")}
    assert hosts == {"nginx.od.com", "demo.od.com", "ws.od.com"}


def test_an_echo_that_nobody_wants_is_left_out(declared: Declared) -> None:
    assert "Ingress ws" not in objects(declared, "nginx_ds", "nginx-ds", "nginx_ds.ws=false")


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        (30001, "site.node_ports 3000-29999"),
        (80, "site.node_ports 3000-29999"),
        (6443, "the API server"),
        (7443, "the edge's way to the API server"),
        (8080, "the API server of old"),
        (10250, "kubelet"),
        (10256, "kube-proxy's healthz"),
        (10259, "the scheduler"),
    ],
)
def test_an_impossible_node_port_is_refused(declared: Declared, port: int, reason: str) -> None:
    with pytest.raises(InputError, match=r"nginx_ds\.node_port") as error:
        declared("hdss7-21", "nginx_ds", f"nginx_ds.node_port={port}", made=False)
    assert reason in str(error.value)
    assert "--extra-vars" in str(error.value)


def test_a_missing_image_is_an_error_that_names_it(declared: Declared) -> None:
    with pytest.raises(InputError, match=r"site\.images has no 'traefik'"):
        declared("hdss7-21", "traefik", '{"images": {}}', made=False)
