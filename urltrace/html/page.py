"""The page: the drawing, the verdict, the fixes, the evidence in folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from urltrace.evidence import Answer, Evidence
from urltrace.finding import HOPS, Hop
from urltrace.fingerprint import Difference
from urltrace.html.path import HEIGHT, WIDTH, drawn
from urltrace.html.words import CAUSES, WORDS
from urltrace.summary import NAMES, seconds
from urltrace.verdict import CLEARING, Verdict
from urltrace.view import View

MOST = 4000  # characters of one answer
# what each hop is judged by: the first words of questions
ASKED: dict[Hop, tuple[str, ...]] = {
    "name": ("http name", "dig", "cache", "getent", "hosts-file", "resolver", "zone"),
    "edge": (
        "http edge",
        "edge program",
        "haproxy",
        "nginx",
        "log nginx",
        "log access",
        "listen",
        "addresses",
        "certificate",
    ),
    "link": ("http node", "http large", "filter", "nft", "route", "neighbours", "icmp", "sysctl", "reverse path"),
    "node": ("http node", "nat", "listen", "connections"),
    "traefik": ("http traefik", "http alive", "rawdata", "log traefik", "requests", "tls secrets"),
    "service": ("objects",),
    "pod": ("http pod", "routes", "pod logs"),
    "control": ("readyz", "api", "kubelet", "kube-proxy", "managers", "ends"),
}


@dataclass(frozen=True)
class SiteStatus:
    """What else is known of the site. Each part is None when it is not.

    receipt: of the last rolling update; drift: what is not as declared; verified: when, and how the last verify ended.
    """

    receipt: Sequence[str] | None = None
    drift: Sequence[str] | None = None
    verified: Sequence[str] | None = None


@dataclass(frozen=True)
class Section:
    """A hop with all that is said of it."""

    hop: Hop
    title: str
    right: str
    took: str
    answers: tuple[Answer, ...]


def page(
    evidence: Evidence, verdict: Verdict, since: str, changed: Sequence[Difference], status: SiteStatus | None = None
) -> str:
    """The whole page. since: when the URL last answered, '' when that is not known."""
    view = View(evidence)
    return _template().render(
        url=str(view.request).partition("?")[0],
        evidence=evidence,
        verdict=verdict,
        drawing=drawn(view, verdict),
        width=WIDTH,
        height=HEIGHT,
        sections=tuple(_sections(view, verdict)),
        names=NAMES,
        since=since,
        changed=changed,
        known=vars(status or SiteStatus()),
        words=WORDS,
        causes=CAUSES,
        most=MOST,
    )


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("page.html.j2")


def _sections(view: View, verdict: Verdict) -> Iterator[Section]:
    wrong = {one.hop for one in verdict.findings if not one.latent}
    cleared = {one.hop: one.because for clear in CLEARING if (one := clear(view)) and one.hop not in wrong}
    for hop in HOPS:
        answers = [one for one in view.evidence.answers if one.question.startswith(ASKED[hop])]
        yield Section(hop, NAMES[hop], cleared.get(hop, ""), seconds(view, hop).strip(), tuple(answers))
