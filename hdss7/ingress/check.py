"""`ingress.check`: what this site's Traefik makes of each Ingress, in files or in the cluster."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hdss7.ingress.documents import Document, check_rendered, read
from hdss7.ingress.honoured import Table, table
from hdss7.ingress.site import served, traefik_version
from hdss7.ingress.verdicts import Verdict, judge, worst
from hdss7.options import Options
from hdss7.project import OpenProject, open_project
from provision.errors import Exit, FailedError, InputError, ProvisionError
from provision.facts.gather import answer
from provision.facts.host import ShellAnswer, ShellQuestion
from provision.remote.host import RemoteHost
from provision.resources.kubernetes.gateway_api import FILES as ROUTES
from provision.resources.kubernetes.gateway_api import VERSION, faults
from provision.resources.kubernetes.live import asking, kubectl_words
from provision.resources.kubernetes.schema import check_objects
from provision.usage import usage

GET = ("get", "ingresses", "-A", "-o", "json", "--request-timeout=10s")
CLUSTER = "cluster"
NETWORKING = "networking.k8s.io/v1"


def check(options: Options) -> int:
    """A line for each annotation that is not simply honoured, and a verdict for each Ingress."""
    site = open_project(options)
    known = traefik_version(site.project)
    version = table(known)
    documents = read(options.file) if options.file else _live(site, options)
    ingresses = [each for each in documents if each.value["kind"] == "Ingress"]
    routes = [each for each in documents if each.value["kind"] in ROUTES]
    if options.file and not ingresses and not routes:
        raise InputError("there is no Ingress in what --file names", do="Name a file with one, or leave --file out")
    for each in (*ingresses, *routes) if options.file else ():
        check_rendered(each)
    for each in routes:
        _check_route(each)
    for each in ingresses if options.file else ():
        if each.value["apiVersion"] == NETWORKING:  # older ones have no schema any more
            check_objects([dict(each.value)], each.line_at)
    what = served(site.project)
    found = [list(judge(each, version, what)) for each in ingresses]
    if routes:
        said = f"{len(routes)} route{'' if len(routes) == 1 else 's'} of the Gateway API"
        print(f"note: {said}: the fields are those of {VERSION}; nothing else of a route is judged", file=sys.stderr)
    return _report(ingresses, found, version, known, options)


def _check_route(route: Document) -> None:
    """Raises InputError for a route that the API would refuse, cut down, or lead nothing to."""
    if fault := next(faults(route.value), None):
        raise InputError(
            f"{route.title}: the API would not take {'.'.join(map(str, fault.place)) or 'it'}",
            line=route.line(*fault.place),
            found=fault.found,
            do=fault.do or f"Write it as the Gateway API {VERSION} has it (standard channel)",
        )
    if not (route.value.get("spec") or {}).get("parentRefs"):
        raise InputError(
            f"{route.title} belongs to no Gateway: it gets no request",
            line=route.line("spec"),
            do="Write spec.parentRefs; the site's own is parentRefs: [{name: site, namespace: kube-system}]",
        )


def _live(site: OpenProject, options: Options) -> list[Document]:
    """The Ingresses of the cluster, asked on the first master that can say it. Raises FailedError when none can."""
    from roles._cluster import KUBECTL, members  # importable now that a project is open: it may be the project's own

    selection = options.selection()
    chosen = site.project.hosts(selection.limit)
    masters = [host for host in members(site.project.inventory.hosts[0], "masters") if host in chosen]
    if not masters:
        raise InputError("no host within the limit can ask the API", do="Widen --limit: --limit masters")
    site.check_up()
    question = ShellQuestion(asking(kubectl_words(KUBECTL, *GET)))
    refusals: list[ProvisionError] = []
    for host in masters:
        remote = RemoteHost(site.project.login(host, selection))
        try:
            return _documents(answer(remote.session(), [question])[question])
        except ProvisionError as error:
            refusals.append(error.at(host=host.name))
        finally:
            remote.close()
    raise refusals[0]


def _documents(reply: ShellAnswer) -> list[Document]:
    try:
        items = json.loads(reply.output)["items"] if reply.code == 0 else None
    except (ValueError, KeyError, TypeError):  # the API server went away in the middle of its answer
        items = None
    if items is None:
        raise FailedError(
            "the API could not be asked what Ingresses there are",
            found=(reply.output.strip().splitlines() or ["kubectl failed"])[-1],
            do=f"Look at the API server ({usage('verify -k kube_apiserver')}), or name files: --file",
        )
    return [Document(CLUSTER, {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", **item}, {}) for item in items]


def _report(
    ingresses: Sequence[Document], found: Sequence[Sequence[Verdict]], known: Table, version: str, options: Options
) -> int:
    out = sys.stderr if options.json else sys.stdout
    every = [each for verdicts in found for each in verdicts]
    for each in every:
        if each.text or options.verbose:
            print(f"{each.line}: {each.title}: {_line(each)}", file=out)
    counts = Counter(each.state for each in every)
    states = ", ".join(f"{counts[state]} {state}" for state in ("honoured", "ignored", "refused"))
    if version != known.version:
        runs = f"runs Traefik {version}" if version else "does not say which Traefik it runs (the tag of its image)"
        print(f"note: this site {runs}; what is said here is said of {known.version}", file=out)
    number = f"{len(ingresses)} Ingress{'' if len(ingresses) == 1 else 'es'}"
    print(f"ingress.check: {number}: {states} (Traefik {known.version})", file=out)
    code = Exit.OK if worst(every) == "honoured" else Exit.FAILED
    if options.json:
        from hdss7.report.json import encode

        described = [_described(*pair) for pair in zip(ingresses, found, strict=True)]
        print(encode({}, None, code, traefik=known.version, ingresses=described))
    return code


def _line(each: Verdict) -> str:
    return f"{each.name} {each.state}{f': {each.text}' if each.text else ''}"


def _described(document: Document, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    metadata = document.value["metadata"]
    return {
        "namespace": metadata.get("namespace", "default"),
        "name": metadata["name"],
        "state": worst(verdicts),
        "verdicts": [{key: value for key, value in asdict(each).items() if key != "title"} for each in verdicts],
    }
