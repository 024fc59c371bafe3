"""What each hop looks like, as digests: to say what is different from when the URL last answered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

import msgspec

from urltrace.evidence import Evidence
from urltrace.finding import Hop
from urltrace.netfilter import led
from urltrace.view import View

FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
DIGEST = re.compile(r"redacted-[0-9a-f]{10}")  # of a salt that is another one in each trace
COUNTED = re.compile(r"^\[\d+:\d+\] |\[\d+:\d+\]$", re.MULTILINE)
RECORD = re.compile(r"^(\S+\s+)\d+(\s+IN\s+A\s+\S+)$", re.MULTILINE)
PROGRAMS = ("KUBE-", "CNI-", "FLANNEL-")  # chains that change as pods come and go


class Print(msgspec.Struct, frozen=True):
    """One thing at a hop. host: '' for an object of the API. thing: a file, an object, a table of rules."""

    hop: Hop
    host: str
    thing: str
    digest: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.hop, self.host, self.thing

    @property
    def place(self) -> str:
        return f"{self.thing} on {self.host}" if self.host else self.thing


class Difference(msgspec.Struct, frozen=True):
    """What is not as it was. how: changed, new or gone. by: the run that changed it, or 'by hand'."""

    hop: Hop
    host: str
    thing: str
    how: str
    by: str = ""

    def __str__(self) -> str:
        where = f"{self.thing} on {self.host}" if self.host else self.thing
        return f"{where} is {'another one' if self.how == 'changed' else self.how}{f', {self.by}' if self.by else ''}"


def fingerprints(evidence: Evidence) -> tuple[Print, ...]:
    """Every thing that decides what becomes of the request, of what could be asked."""
    view = View(evidence)
    found = (*_names(evidence), *_edges(evidence), *_rules(evidence), *_ports(view), *_traefik(view), *_objects(view))
    return tuple(Print(hop, host, thing, _digest(text)) for hop, host, thing, text in found)


def differences(before: Iterable[Print], now: Iterable[Print]) -> tuple[Difference, ...]:
    """What has changed, of hops of hosts that said something both times."""
    old, new = ({one.key: one for one in prints} for prints in (before, now))
    hops = {key[:2] for key in old} & {key[:2] for key in new}
    found = []
    for key in dict.fromkeys((*old, *new)):
        was, is_now = old.get(key), new.get(key)
        one = is_now or was
        assert one
        if key[:2] in hops and (was is None or is_now is None or was.digest != is_now.digest):
            how = "new" if was is None else "gone" if is_now is None else "changed"
            found.append(Difference(one.hop, one.host, one.thing, how))
    return tuple(found)


Thing = tuple[Hop, str, str, str]


def _names(evidence: Evidence) -> Iterator[Thing]:
    for answer in evidence.about("dig "):
        yield "name", "", f"the answer of name server {answer.question.split()[1]}", _records(answer.output)
    for answer in evidence.about("cache "):
        yield (
            "name",
            "",
            f"the answer of the client's name server {answer.question.split()[1]}",
            _records(answer.output),
        )
    for question, thing in (("hosts-file", "/etc/hosts"), ("resolver", "/etc/resolv.conf")):
        for answer in evidence.about(question):
            yield "name", "the client", thing, answer.output


def _records(text: str) -> str:
    """Without times to live, which count down."""
    status = next((line for line in text.splitlines() if "status:" in line), "").partition(", id")[0]
    return status + "".join("".join(found.groups()) for found in RECORD.finditer(text))


def _edges(evidence: Evidence) -> Iterator[Thing]:
    for answer in evidence.about("nginx -T"):
        parts = FILE.split(answer.output)[1:]
        for path, text in zip(parts[::2], parts[1::2], strict=True):
            if "/release.conf" not in path:  # names the release, and so every run
                yield "edge", answer.location, path, DIGEST.sub("", text)
    for answer in evidence.about("haproxy files"):
        for line in answer.output.splitlines():
            digest, _, path = line.partition(" ")
            yield "edge", answer.location, path, digest


def _rules(evidence: Evidence) -> Iterator[Thing]:
    for answer in evidence.about("filter"):
        table = answer.question.partition(" ")[2] or "filter"
        lines = [COUNTED.sub("", line).strip() for line in answer.output.splitlines() if not line.startswith("#")]
        kept = [line for line in lines if not any(name in line for name in PROGRAMS)]
        yield "link", answer.location, f"table {table} of iptables", "\n".join(kept)
    for answer in evidence.about("nft"):
        yield "link", answer.location, "the rules of nftables", re.sub(r" # handle \d+", "", answer.output)
    for answer in evidence.about("route "):
        yield "link", answer.location, f"the route to {answer.question.split()[1]}", answer.output.partition(" uid")[0]
    for answer in evidence.about("sysctl"):
        yield "link", answer.location, "net.ipv4.ip_forward", answer.output


def _ports(view: View) -> Iterator[Thing]:
    """Where each node's port leads: to its own Traefik, whose address changes with its pod, or elsewhere."""
    port = view.site.traefik_port
    for node in view.site.nodes:
        answer, pod = view.evidence.answer("nat", node.name), view.traefik_pod(node)
        if answer and pod:
            leads = ["Traefik" if one.address == pod.status.pod_ip else one.address for one in led(answer.output, port)]
            yield "node", node.name, f"the target of port {port}", repr(leads)


def _traefik(view: View) -> Iterator[Thing]:
    for node, loaded in view.loaded.items():
        for router in loaded.routers:
            if router.provider != "internal":
                said = (DIGEST.sub("", router.rule), router.service, router.middlewares, router.rank, router.disabled)
                yield "traefik", node, f"router {router.name}", repr(said)
    for pod in view.traefik_pods[:1]:
        yield "traefik", "", "the arguments of Traefik", repr([one.args for one in pod.spec.containers])


def _objects(view: View) -> Iterator[Thing]:
    held = view.objects
    if held is None:
        return
    for kind, objects in (("Ingress", held.ingresses), ("IngressClass", held.classes), ("Service", held.services)):
        for one in objects or ():
            yield "service" if kind == "Service" else "traefik", "", f"{kind} {one.key}", repr(one.spec)
    for role in held.roles or ():
        yield "traefik", "", f"ClusterRole {role.metadata.name}", repr(role.rules)
    for binding in held.bindings or ():
        yield "traefik", "", f"ClusterRoleBinding {binding.metadata.name}", repr((binding.role_ref, binding.subjects))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
