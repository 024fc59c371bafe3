"""The name: who resolves it, and to which address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from urltrace.evidence import OUTSIDE, Answer
from urltrace.finding import Cleared, Finding, proof
from urltrace.view import View

STATUS = re.compile(r"status: ([A-Z]+)")
RECORD = re.compile(r"\sIN\s+A\s+(\d+\.\d+\.\d+\.\d+)")
HELD = re.compile(r"(?P<ttl>\d+)\s+IN\s+A\s+(?P<address>\d+\.\d+\.\d+\.\d+)")
ABSENT = re.compile(r"^;; status: (?:NXDOMAIN|NOERROR)\n(?P<zone>\S+)\s+(?P<ttl>\d+)\s+IN\s+SOA\s", re.MULTILINE)
SERIAL = re.compile(r"\sSOA\s+\S+ \S+ (\d+) ")
SILENT = "no servers could be reached"


def hosts_file(view: View) -> Iterator[Finding]:
    """A line of /etc/hosts leads elsewhere than DNS: the client never asks."""
    for answer in view.evidence.about("hosts-file"):
        for line in answer.output.splitlines():
            address = line.split()[0] if line.split() else ""
            if address and address not in _entries(view):
                yield Finding(
                    hop="name",
                    cause="hosts-file",
                    where=f"/etc/hosts on {_place(answer)}",
                    sentence=f"/etc/hosts on {_place(answer)} says that {view.request.name} is {address}, "
                    f"and not {view.site.entry}",
                    do=f"Remove the line from /etc/hosts on {_place(answer)}: {line.strip()}",
                    proof=proof(answer, line),
                    latent=answer.location != OUTSIDE,
                )


def dns_silent(view: View) -> Iterator[Finding]:
    """A name server does not answer."""
    for answer in view.evidence.about("dig "):
        if SILENT in answer.output or "timed out" in answer.output or "refused" in answer.output:
            server = answer.question.split()[1]
            yield Finding(
                hop="name",
                cause="dns-silent",
                where=f"the name server {server}",
                sentence=f"the name server {server} does not answer",
                do=f"Look at it: systemctl status named on {_host(view, server)}",
                proof=proof(answer, _line(answer, "timed out", "refused", SILENT)),
                latent=bool(_addresses(view)),
            )


def no_name_of_the_site(view: View) -> Iterator[Finding]:
    """The name is one that no name server of the site can know."""
    name, domain = view.request.name, view.site.domain
    answers = view.evidence.about("dig ")
    if _addresses(view) or not answers:
        return
    if "." not in name:
        yield Finding(
            hop="name",
            cause="short-name",
            where=f"the name {name}",
            sentence=f"{name} is a short name, which depends on the search domains of each client; the site knows "
            f"{name}.{domain} at most",
            do=f"Ask for http://{name}.{domain}{view.request.path}",
            proof=proof(answers[0], _line(answers[0], "status:")),
        )
    elif name.endswith(".cluster.local"):
        yield Finding(
            hop="name",
            cause="cluster-name",
            where=f"the name {name}",
            sentence=f"{name} exists only inside the cluster: only pods ask CoreDNS"
            + (f", on {view.site.cluster_dns}" if view.site.cluster_dns else ""),
            do=f"Ask for a name of {domain} that an Ingress has, or ask from a pod",
            proof=proof(answers[0], _line(answers[0], "status:")),
        )


def not_loaded(view: View) -> Iterator[Finding]:
    """The zone's file has the record, and the name server does not answer with it."""
    label = view.request.name.removesuffix(f".{view.site.domain}")
    for answer in view.evidence.about("zone"):
        address = next((host.address for host in view.site.dns if host.name == answer.location), "")
        asked = view.evidence.answer(f"dig {address}", OUTSIDE)
        status = STATUS.search(asked.output) if asked else None
        held = re.compile(rf"^(\S*{re.escape(view.site.domain)}\S*):(\d+):{re.escape(label)}\s", re.MULTILINE | re.I)
        found = held.search(answer.output)
        if found and status and status[1] == "NXDOMAIN" and asked:
            place = f"{found[1]}:{found[2]}"
            yield Finding(
                hop="name",
                cause="record-not-loaded",
                where=place,
                sentence=f"{view.request.name} has a record in {place} on {answer.location}, and named has not loaded "
                "it",
                do=f"On {answer.location}: raise the zone's serial, then named-checkconf -z && rndc reload",
                proof=(*proof(asked, _line(asked, "status:")), *proof(answer, found[0] + "…")),
            )


def record_missing(view: View) -> Iterator[Finding]:
    """The name has no record."""
    if any(no_name_of_the_site(view)) or any(not_loaded(view)):
        return
    for answer in view.evidence.about("dig "):
        status = STATUS.search(answer.output)
        if status and not RECORD.findall(answer.output) and status[1] in ("NXDOMAIN", "NOERROR"):
            server = answer.question.split()[1]
            yield Finding(
                hop="name",
                cause="record-missing",
                where=f"zone {view.site.domain} on {_host(view, server)}",
                sentence=f"{view.request.name} has no A record on {_host(view, server)} ({status[1]})",
                do=f"Add {view.request.name}. A {view.site.entry} to the zone, raise its serial, and run: rndc reload",
                proof=proof(answer, _line(answer, "status:")),
            )
        elif status and status[1] in ("SERVFAIL", "REFUSED"):
            server = answer.question.split()[1]
            yield Finding(
                hop="name",
                cause="zone-not-served",
                where=f"zone {view.site.domain} on {_host(view, server)}",
                sentence=f"{_host(view, server)} does not serve the zone of {view.request.name} ({status[1]})",
                do="Look why: named-checkconf -z, and journalctl -u named",
                proof=proof(answer, _line(answer, "status:")),
            )


def wrong_address(view: View) -> Iterator[Finding]:
    """The name leads to an address that no edge has."""
    for answer in view.evidence.about("dig "):
        wrong = [address for address in RECORD.findall(answer.output) if address not in _entries(view)]
        if wrong:
            node = next((node.name for node in view.site.nodes if node.address == wrong[0]), "")
            yield Finding(
                hop="name",
                cause="wrong-address",
                where=f"zone {view.site.domain} on {_host(view, answer.question.split()[1])}",
                sentence=f"{view.request.name} is {wrong[0]} in DNS{f' (node {node})' if node else ''}, "
                f"and the edge is {view.site.entry}",
                do=f"Correct the record to A {view.site.entry}, raise the zone's serial, and run: rndc reload",
                proof=proof(answer, _line(answer, wrong[0])),
            )


def servers_differ(view: View) -> Iterator[Finding]:
    """Two name servers hold different versions of the zone."""
    serials = {answer.question.split()[1]: SERIAL.findall(answer.output) for answer in view.evidence.about("dig ")}
    known = {server: found[0] for server, found in serials.items() if found}
    if len(set(known.values())) > 1:
        old = min(known, key=lambda server: int(known[server]))
        yield Finding(
            hop="name",
            cause="zone-differs",
            where=f"zone {view.site.domain} on {_host(view, old)}",
            sentence=f"{_host(view, old)} still has serial {known[old]} of the zone",
            do=f"Look why it was not transferred: journalctl -u named on {_host(view, old)}",
            proof=tuple(line for answer in view.evidence.about("dig ") for line in proof(answer, _line(answer, "SOA"))),
            latent=True,
        )


def remembered(view: View) -> Iterator[Finding]:
    """The client's name server remembers an answer of the site's that is none any more."""
    right = _addresses(view)
    if not right or not right <= set(_entries(view)):
        return
    for answer in view.evidence.about("cache "):
        server = answer.question.split()[1]
        absent = [found for found in ABSENT.finditer(answer.output) if _of_site(view, found["zone"])]
        other = [found for found in HELD.finditer(answer.output) if found["address"] not in _entries(view)]
        if not absent and not other:
            continue
        seconds = (absent or other)[0]["ttl"]
        old = f"is {other[0]['address']}" if other else "does not exist"
        who = " and ".join(host.name for host in view.site.dns)
        yield Finding(
            hop="name",
            cause="stale-address" if other else "negative-cache",
            where=f"the name server {server}",
            sentence=f"the client's name server {server} remembers for {seconds} s more that {view.request.name} "
            f"{old}, and {who} says {', '.join(sorted(right))}",
            do=f"Wait {seconds} s, or flush it on {server}: rndc flushname {view.request.name}, or resolvectl "
            "flush-caches",
            proof=(*proof(answer, _line(answer, "SOA", "IN")), *proof(next(iter(view.evidence.about("dig "))))),
            latent=view.whole is not None and view.whole.ok,
        )


def _of_site(view: View, zone: str) -> bool:
    """Whether a zone is the site's own: what is said of a name there comes from the site's own name server."""
    return f".{zone.rstrip('.')}".endswith(f".{view.site.domain}")


def resolver_unset(view: View) -> Iterator[Finding]:
    """The client resolves by a server that does not know the site's names."""
    whole = view.whole
    if whole is None or whole.outcome not in ("no name", "no connection") or not _addresses(view):
        return
    if any(remembered(view)):
        return
    answer = view.evidence.answer("resolver", OUTSIDE)
    used = re.findall(r"^nameserver\s+(\S+)", answer.output, re.MULTILINE) if answer else []
    own = [host.address for host in view.site.dns]
    if answer and own and not set(used) & set(own):
        yield Finding(
            hop="name",
            cause="resolver",
            where="/etc/resolv.conf of the client",
            sentence=f"the client asks {', '.join(used) or 'no name server'}, and {view.request.name} is known to "
            f"{', '.join(own)} only",
            do=f"Let it ask {own[0] if own else 'the name server of the site'}",
            proof=proof(answer),
        )


def cleared(view: View) -> Cleared | None:
    """The name is right when it leads to the edge."""
    found = _addresses(view)
    if found and found <= set(_entries(view)):
        return Cleared("name", f"{view.request.name} is {', '.join(sorted(found))}")
    return None


def _addresses(view: View) -> set[str]:
    return {address for answer in view.evidence.about("dig ") for address in RECORD.findall(answer.output)}


def _entries(view: View) -> tuple[str, ...]:
    """Where a name may lead."""
    return tuple(filter(None, (view.site.vip, *(edge.address for edge in view.site.edges))))


def _host(view: View, address: str) -> str:
    return next((host.name for host in (*view.site.dns, *view.site.edges) if host.address == address), address)


def _place(answer: Answer) -> str:
    return "the client" if answer.location == OUTSIDE else answer.location


def _line(answer: Answer, *parts: str) -> str:
    return next((line.strip() for line in answer.output.splitlines() if any(part in line for part in parts)), "")


RULES = (
    hosts_file,
    dns_silent,
    no_name_of_the_site,
    not_loaded,
    record_missing,
    wrong_address,
    servers_differ,
    remembered,
    resolver_unset,
)
