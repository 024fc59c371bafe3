"""Traces that were recorded on a lab with a fault in it: judged again, they give the verdict that is right there.

A bundle is what `trace URL --save FILE` wrote, compressed: recorded/bundles/NAME.json.gz, by `make confusion`. What is
right for it stands in urltrace/catalogue.
"""

from __future__ import annotations

import re

import pytest

from tests.confusion.record import BUNDLES, bundle, names
from urltrace.catalogue.fault import faults, pairs
from urltrace.catalogue.mark import marked
from urltrace.verdict import judge

EVERY = names(faults(), pairs())
RECORDED = sorted({path.name.removesuffix(".json.gz") for path in BUNDLES.iterdir()} - {"healthy"})
PAGE = BUNDLES.parents[4] / "docs" / "diagnosis.md"
LISTED = PAGE.read_text(encoding="utf-8").partition("## Wrong, missed and false alarms")[2].partition("\n## ")[0]
WORKED = " ".join((PAGE.parent / "trace.md").read_text(encoding="utf-8").split())
WRONG = frozenset(re.findall(r"^- \*\*(.+?)\*\*", LISTED, re.MULTILINE))


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_fault_is_named_or_listed_as_wrong(name: str) -> None:
    mark, verdict = marked(name, bundle(name))
    assert (mark == "right") == (name not in WRONG), f"{mark}: {verdict.sentence}"


def test_a_recorded_healthy_site_has_no_fault() -> None:
    verdict = judge(bundle("healthy"))
    assert verdict.answered
    assert not verdict.fault
    assert not verdict.latent


def test_every_bundle_is_of_the_catalogue() -> None:
    assert set(RECORDED) <= set(EVERY)


def test_the_catalogue_has_what_was_promised() -> None:
    assert len({fault.name for fault in faults()}) == len(faults()) >= 60
    assert len(pairs()) >= 10
    assert {fault.says.hop for fault in faults() if fault.says} == {
        *("name", "edge", "link", "node", "traefik", "service", "pod", "control")
    }


@pytest.mark.parametrize(
    "name", ["role-endpointslices", "large-packets", "record-not-loaded", "dns-address-taken", "sshd-frozen"]
)
def test_the_worked_cases_of_the_page_are_what_is_said(name: str) -> None:
    verdict = judge(bundle(name))
    said = re.sub(r"releases/[^/]+/zones", "…", verdict.sentence)
    assert f"Verdict: {said}" in WORKED
    if verdict.fault:
        assert f"Fix: {verdict.fault.do.partition('--as=')[0]}" in WORKED
