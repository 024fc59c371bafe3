"""Traces that were recorded on a lab with a fault in it: judged again, they give the verdict that was right there.

A bundle is what `trace URL --save FILE` wrote, compressed: recorded/bundles/NAME.json.gz.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from urltrace.evidence import load
from urltrace.verdict import judge

BUNDLES = Path(__file__).with_name("recorded") / "bundles"
EXPECTED = {
    "edge-reject": ("link", "link-reject", "the firewall of hdss7-11 stops hdss7-11 from reaching 10.4.7.22:81"),
    "edge-reject-unseen": ("link", "link-reject", "a firewall rule of hdss7-11 itself rejects"),
    "hostport-flushed": ("node", "hostport-missing", "port 81 of hdss7-22 is not led to Traefik"),
    "ingress-class": ("traefik", "ingress-class", "its class is graefik, and this Traefik takes traefik only"),
    "large-packets": ("link", "large-packets", "large packets from hdss7-11 to hdss7-22 are lost"),
    "pod-route": ("pod", "pod-route", "its route is 172.7.21.10 via 10.4.7.254"),
    "pods-ending": ("service", "pods-ending", "every pod of Service default/demo is ending"),
    "selector": ("service", "ingress-endpoints", "no pod in default has the labels app=dmo"),
    "target-port": ("pod", "pod-refuses", "nothing listens on 172.7.21.10:9999"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_fault_is_named(name: str) -> None:
    verdict = judge(load(gzip.decompress((BUNDLES / f"{name}.json.gz").read_bytes())))
    hop, cause, words = EXPECTED[name]
    assert verdict.fault
    assert (verdict.fault.hop, verdict.fault.cause) == (hop, cause)
    assert words in verdict.fault.sentence


def test_a_recorded_healthy_site_has_no_fault() -> None:
    verdict = judge(load(gzip.decompress((BUNDLES / "healthy.json.gz").read_bytes())))
    assert verdict.answered
    assert not verdict.fault
    assert not verdict.latent


def test_every_bundle_is_judged() -> None:
    assert {path.name.removesuffix(".json.gz") for path in BUNDLES.iterdir()} == {*EXPECTED, "healthy"}
