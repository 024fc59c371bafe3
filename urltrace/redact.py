"""What is taken out of answers before they become evidence: values of headers and queries, bodies, secrets."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from urltrace.evidence import Answer
from urltrace.kubernetes.objects import Objects, read_objects
from urltrace.request import Request
from urltrace.traefik.evaluate import query_pairs
from urltrace.traefik.logged import described
from urltrace.traefik.routers import read_rawdata
from urltrace.traefik.rule import RuleError, matchers, parse

SHOWN_HEADERS = (
    "server",
    "date",
    "content-type",
    "content-length",
    "location",
    "x-edge",
    "via",
    "retry-after",
    "allow",
)
KNOWN_BODIES = (
    "404 page not found",
    "no available server",
    "Bad Gateway",
    "Gateway Timeout",
    "Service Unavailable",
    "edge: ",
)
ERROR_PAGE = re.compile(r"<title>(\d{3} [A-Za-z -]+)</title>.*<center>nginx", re.DOTALL)
HAPROXY_PAGE = re.compile(r"<html><body><h1>(\d{3} [A-Za-z -]+)</h1>\n[^<]+</body></html>\s*$")
QUERY = re.compile(r"\?[^ \"'<>]+")
HEADER_LINE = re.compile(
    r"^(\s*(?:proxy_set_header|add_header|fastcgi_param)\s+)(\S+)(\s+)(.+?)(\s+always)?;", re.MULTILINE
)
SECRET_LINE = re.compile(
    r"^(\s*(?:secure_link_secret|secure_link_md5|auth_jwt_key|set\s+\S+|perl_set\s+\S+)\s+)(.+);", re.MULTILINE
)
OTHERS = '"RequestPath":'
VARIABLE = re.compile(r"[\"']?(?:\$\{?\w+\}?[\s,:;-]*)*[\"']?")
ANNOTATIONS = ("kubernetes.io/ingress.class", "ingressclass.kubernetes.io/", "traefik.ingress.kubernetes.io/")
ARGUMENTS = ("--providers.", "--entrypoints.", "--core.", "--api", "--ping", "--accesslog", "--log.level")


@dataclass(frozen=True)
class Redactor:
    """Takes secrets out. salt: makes digests of this trace unlike those of any other; it is never saved."""

    salt: str

    def digest(self, value: str) -> str:
        """Equal values have equal digests, and no digest leads back to its value."""
        return "redacted-" + hashlib.sha256(f"{self.salt}\0{value}".encode()).hexdigest()[:10] if value else ""

    def sent(self, request: Request) -> Request:
        """The request as it is kept."""
        pairs = [f"{name}={self.digest(value)}" if value else name for name, value in query_pairs(request.query)]
        return Request(
            host=request.host,
            path=request.path,
            query="&".join(pairs),
            method=request.method,
            scheme=request.scheme,
            port=request.port,
            headers=tuple((name, self.digest(value)) for name, value in request.headers),
        )

    def answer(self, answer: Answer) -> Answer:
        """The answer as it is kept: by its kind, the first word of its question."""
        clean = CLEANED.get(answer.question.partition(" ")[0])
        errors = QUERY.sub("?…", answer.errors)
        if clean is None:
            return Answer(answer.question, answer.location, answer.output, answer.code, errors)
        try:
            output = clean(self, answer.output)
        except (ValueError, msgspec.MsgspecError):
            output = "" if answer.code == 0 else QUERY.sub("?…", answer.output[:300])
        return Answer(answer.question, answer.location, output, answer.code, errors)

    def exchange(self, text: str) -> str:
        """An HTTP answer: its status, the headers that tell who answered, and a body only when a hop wrote it."""
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        status, *headers = head.split("\n")
        shown = [line for line in headers if line.partition(":")[0].lower() in SHOWN_HEADERS]
        shown = [QUERY.sub("?…", line) for line in shown]
        return "\n".join([status, *shown, "", _body(body)])

    def nginx(self, text: str) -> str:
        """A configuration without the values that headers are set to; variables stay, and so does Host."""

        def cleaned(found: re.Match[str]) -> str:
            keep = found[2].lower() == "host" or VARIABLE.fullmatch(found[4])
            return found[0] if keep else f'{found[1]}{found[2]}{found[3]}"{self.digest(found[4])}"{found[5] or ""};'

        return SECRET_LINE.sub(lambda found: f'{found[1]}"{self.digest(found[2])}";', HEADER_LINE.sub(cleaned, text))

    def rawdata(self, text: str) -> str:
        """Routers and services of Traefik: no middlewares, and rules with digests for values of headers and queries."""
        loaded = read_rawdata(text)
        routers = {
            router.name: {
                "rule": self.rule(router.rule),
                "service": router.service,
                "entryPoints": router.entrypoints,
                "middlewares": router.middlewares,
                "priority": router.rank,
                "ruleSyntax": router.syntax,
                "status": "disabled" if router.disabled else "enabled",
                "error": router.errors,
                "parentRefs": router.parents,
                **({"tls": {}} if router.tls else {}),
                **({"observability": {"metadata": {"ingress": _named(router.ingress)}}} if router.ingress else {}),
            }
            for router in loaded.routers
        }
        services = {
            service.name: {
                "loadBalancer": {"servers": [{"url": url} for url in service.servers]},
                "serverStatus": dict.fromkeys(service.down, "DOWN"),
                "error": service.errors,
            }
            for service in loaded.services
        }
        return json.dumps({"routers": routers, "services": services})

    def rule(self, text: str) -> str:
        """A rule with digests for the values of Header and Query. Its rank is kept beside it."""
        try:
            held = [one for one in matchers(parse(text)) if one.name.startswith(("Header", "Query"))]
        except RuleError:
            return text
        for value in {value for one in held for value in one.values[1:]}:
            for quote in '`"':
                text = text.replace(f"{quote}{value}{quote}", f"{quote}{self.digest(value)}{quote}")
        return text

    def objects(self, text: str) -> str:
        """Objects with the fields that a trace reads: no environment, no commands, no other annotation."""
        held = _relevant(read_objects(_documents(text)))
        listed = [getattr(held, name) or () for name in held.__dataclass_fields__ if name != "missing_secrets"]
        items = [item for kind in listed for one in kind for item in [{"kind": type(one).__name__, **_plain(one)}]]
        return json.dumps({"kind": "List", "items": items})

    def requests(self, text: str) -> str:
        """Traefik's lines of this trace's requests, in the fields that a trace reads."""
        return described(text)

    def log(self, text: str) -> str:
        """Lines of a log without queries, and without what Traefik writes of requests: those are other clients'."""
        own = [line for line in text.splitlines(keepends=True) if OTHERS not in line]
        return QUERY.sub("?…", "".join(own))


def _documents(text: str) -> Iterator[Any]:
    """JSON documents that follow each other."""
    decoder, at = json.JSONDecoder(), 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        document, at = decoder.raw_decode(text, at)
        yield document


def _body(body: str) -> str:
    page = ERROR_PAGE.search(body)
    if page:
        return f"<title>{page[1]}</title> <center>nginx"
    page = HAPROXY_PAGE.match(body)
    if page:
        return f"<title>{page[1]}</title> <h1>haproxy"
    first = body.strip()
    return first if first.startswith(KNOWN_BODIES) and len(first) < 60 else f"[{len(body)} characters]" if body else ""


def _named(key: str) -> dict[str, str]:
    namespace, _, name = key.partition("/")
    return {"namespace": namespace, "name": name}


def _relevant(held: Objects) -> Objects:
    """Of the rules of access those that bind an account of a pod with a host port: Traefik's."""
    ported = [
        pod for pod in held.pods or () if any(port.host_port for one in pod.spec.containers for port in one.ports)
    ]
    accounts = {("ServiceAccount", pod.metadata.namespace, pod.spec.service_account_name) for pod in ported}
    bindings = tuple(
        one
        for one in held.bindings or ()
        if any((who.kind, who.namespace, who.name) in accounts or who.kind == "Group" for who in one.subjects or ())
    )
    names = {one.role_ref.name for one in bindings}
    roles = tuple(role for role in held.roles or () if role.metadata.name in names)
    return replace(held, bindings=bindings, roles=roles)


def _plain(one: msgspec.Struct) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(one)
    metadata = fields["metadata"]
    assert isinstance(metadata, dict)
    kept = {name: value for name, value in metadata["annotations"].items() if name.startswith(ANNOTATIONS)}
    metadata["annotations"] = kept
    spec = fields.get("spec")
    for container in spec.get("containers", ()) if isinstance(spec, dict) else ():
        container["args"] = [word for word in container["args"] if _harmless(word)]
    return fields


def _harmless(argument: str) -> bool:
    return argument.lower().startswith(ARGUMENTS) and not re.search("token|password|secret|key", argument.lower())


CLEANED: dict[str, Callable[[Redactor, str], str]] = {
    "http": Redactor.exchange,
    "nginx": Redactor.nginx,
    "rawdata": Redactor.rawdata,
    "objects": Redactor.objects,
    "log": Redactor.log,
    "requests": Redactor.requests,
    "own": Redactor.log,
}
