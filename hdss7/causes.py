"""Failed checks of `verify`, grouped under the causes that a trace finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from hdss7.last_good import remember
from hdss7.tracing import judged, traced
from provision.errors import ProvisionError
from provision.project import Project
from provision.verify.context import Context
from provision.verify.report import Checked, Report
from urltrace.finding import Finding, Hop
from urltrace.request import parse_request
from urltrace.verdict import Verdict

SITE = ("edge", "traefik", "nginx_ds", "apps")
PROGRAMS = ("kubelet", "kube_proxy", "kube_apiserver", "kube_controller_manager", "kube_scheduler", "etcd", "coredns")
# roles whose checks fail because of a fault at a hop: its own, and those of what is asked through it
BEHIND: Mapping[Hop, tuple[str, ...]] = {
    "name": ("bind", "resolver", *SITE),
    "edge": (*SITE, "kube_apiserver", "kubelet"),
    "link": SITE,
    "node": (*SITE, "containerd", "cni", "kubelet"),
    "traefik": SITE,
    "service": SITE,
    "pod": (*SITE, "cni", "kubelet"),
    "control": (*PROGRAMS, "traefik", "nginx_ds", "apps"),
}


def causes(project: Project, context: Context, report: Report) -> Iterator[str]:
    """A line for each cause that a trace names, with the checks that fail because of it, and one for the rest."""
    failed = [check for check in report.failed if not check.unreachable]
    left = list(failed)
    if not left:
        return
    for url in _urls(project, failed):
        try:
            verdict = judged(traced(context, context.locations, parse_request(url)), project)
        except ProvisionError:
            continue
        found = _grouped(verdict, left)
        for finding, checks in found:
            left = [check for check in left if check not in checks]
            yield f"cause: {finding.sentence} ({_shown(checks, len(failed))}). {finding.do}"
        if not left:
            return
    if left:
        yield f"cause: not known ({_shown(left, len(failed))})"


def remembered(project: Project, context: Context, site: str) -> None:
    """Keeps how the hops of the site's own URL look, now that every check has passed."""
    for url in list(_urls(project, ()))[:1]:
        with suppress(ProvisionError):
            evidence = traced(context, context.locations, parse_request(url))
            if not judged(evidence, project).findings:
                remember(site, evidence)


def _urls(project: Project, failed: Sequence[Checked]) -> Iterator[str]:
    """What to trace: the site's own URL, then applications whose checks fail."""
    checks = [check for play in project.plays if (check := project.health_check(play))]
    yield from dict.fromkeys(check.url for check in checks)
    if any(check.role == "apps" for check in failed):
        yield from list(dict.fromkeys(one.url for check in checks for one in check.applications))[:1]


def _grouped(verdict: Verdict, failed: Sequence[Checked]) -> list[tuple[Finding, list[Checked]]]:
    """Each finding with checks that fail because of it, the verdict's first; those that explain none are left out."""
    left, found = list(failed), []
    for finding in verdict.findings:
        checks = [check for check in left if check.role in BEHIND[finding.hop] or check.host in finding.where.split()]
        if checks:
            left = [check for check in left if check not in checks]
            found.append((finding, checks))
    return found


def _shown(checks: Sequence[Checked], count: int) -> str:
    roles = ", ".join(dict.fromkeys(check.role for check in checks))
    return f"{len(checks)} of {count} failed checks: {roles}"
