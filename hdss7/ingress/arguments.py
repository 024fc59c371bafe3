"""The arguments of Traefik 1.7 as Traefik 3 takes them. Pure.

Names on the left are Traefik 1.7's (docs/configuration of its branch v1.7), names on the right are checked against
`traefik --help` by tests/lab/test_traefik_program.py: Traefik 3 exits at an argument that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hdss7.ingress.documents import How
from hdss7.ingress.entrypoints import DEFAULT, EntryPoint, entry_point

KUBERNETES = "providers.kubernetesingress"
TRANSPORT = "serverstransport"
EVERY = "entrypoints.*"  # stands for each entry point

# 1.7 -> 3, the value unchanged. EVERY: once for each entry point.
RENAMED = {
    "accesslog": "accesslog",
    "accesslog.filepath": "accesslog.filepath",
    "accesslog.format": "accesslog.format",
    "accesslog.bufferingsize": "accesslog.bufferingsize",
    "accesslog.filters.statuscodes": "accesslog.filters.statuscodes",
    "accesslog.filters.retryattempts": "accesslog.filters.retryattempts",
    "accesslog.filters.minduration": "accesslog.filters.minduration",
    "accesslog.fields.defaultmode": "accesslog.fields.defaultmode",
    "accesslog.fields.headers.defaultmode": "accesslog.fields.headers.defaultmode",
    "accesslogsfile": "accesslog.filepath",
    "acme.caserver": "certificatesresolvers.acme.acme.caserver",
    "acme.dnschallenge.provider": "certificatesresolvers.acme.acme.dnschallenge.provider",
    "acme.email": "certificatesresolvers.acme.acme.email",
    "acme.httpchallenge.entrypoint": "certificatesresolvers.acme.acme.httpchallenge.entrypoint",
    "acme.keytype": "certificatesresolvers.acme.acme.keytype",
    "acme.storage": "certificatesresolvers.acme.acme.storage",
    "acme.tlschallenge": "certificatesresolvers.acme.acme.tlschallenge",
    "api.dashboard": "api.dashboard",
    "api.debug": "api.debug",
    "checknewversion": "global.checknewversion",
    "forwardingtimeouts.dialtimeout": f"{TRANSPORT}.forwardingtimeouts.dialtimeout",
    "forwardingtimeouts.responseheadertimeout": f"{TRANSPORT}.forwardingtimeouts.responseheadertimeout",
    "gracetimeout": f"{EVERY}.transport.lifecycle.gracetimeout",
    "hostresolver": "hostresolver",
    "hostresolver.cnameflattening": "hostresolver.cnameflattening",
    "hostresolver.resolvconfig": "hostresolver.resolvconfig",
    "hostresolver.resolvdepth": "hostresolver.resolvdepth",
    "idletimeout": f"{EVERY}.transport.respondingtimeouts.idletimeout",
    "insecureskipverify": f"{TRANSPORT}.insecureskipverify",
    "kubernetes": KUBERNETES,
    "kubernetes.certauthfilepath": f"{KUBERNETES}.certauthfilepath",
    "kubernetes.endpoint": f"{KUBERNETES}.endpoint",
    "kubernetes.ingressclass": f"{KUBERNETES}.ingressclass",
    "kubernetes.ingressendpoint.hostname": f"{KUBERNETES}.ingressendpoint.hostname",
    "kubernetes.ingressendpoint.ip": f"{KUBERNETES}.ingressendpoint.ip",
    "kubernetes.ingressendpoint.publishedservice": f"{KUBERNETES}.ingressendpoint.publishedservice",
    "kubernetes.labelselector": f"{KUBERNETES}.labelselector",
    "kubernetes.namespaces": f"{KUBERNETES}.namespaces",
    "kubernetes.throttleduration": f"{KUBERNETES}.throttleduration",
    "kubernetes.token": f"{KUBERNETES}.token",
    "lifecycle.gracetimeout": f"{EVERY}.transport.lifecycle.gracetimeout",
    "lifecycle.requestacceptgracetimeout": f"{EVERY}.transport.lifecycle.requestacceptgracetimeout",
    "loglevel": "log.level",
    "maxidleconnsperhost": f"{TRANSPORT}.maxidleconnsperhost",
    "metrics.datadog": "metrics.datadog",
    "metrics.datadog.address": "metrics.datadog.address",
    "metrics.datadog.pushinterval": "metrics.datadog.pushinterval",
    "metrics.prometheus": "metrics.prometheus",
    "metrics.prometheus.buckets": "metrics.prometheus.buckets",
    "metrics.prometheus.entrypoint": "metrics.prometheus.entrypoint",
    "metrics.statsd": "metrics.statsd",
    "metrics.statsd.address": "metrics.statsd.address",
    "metrics.statsd.pushinterval": "metrics.statsd.pushinterval",
    "ping": "ping",
    "ping.entrypoint": "ping.entrypoint",
    "providersthrottleduration": "providers.providersthrottleduration",
    "respondingtimeouts.idletimeout": f"{EVERY}.transport.respondingtimeouts.idletimeout",
    "respondingtimeouts.readtimeout": f"{EVERY}.transport.respondingtimeouts.readtimeout",
    "respondingtimeouts.writetimeout": f"{EVERY}.transport.respondingtimeouts.writetimeout",
    "rootcas": f"{TRANSPORT}.rootcas",
    "sendanonymoususage": "global.sendanonymoususage",
    "traefiklog.filepath": "log.filepath",
    "traefiklog.format": "log.format",
    "traefiklogsfile": "log.filepath",
    "web.address": "entrypoints.traefik.address",
    "web.metrics.prometheus": "metrics.prometheus",
    "web.metrics.prometheus.buckets": "metrics.prometheus.buckets",
}
# 1.7 -> arguments of 3, whatever the value was.
FIXED = {
    "api": ("api=true", "api.insecure=true"),  # without the second nothing is served on :8080
    "web": ("api=true", "api.insecure=true"),
    "debug": ("log.level=DEBUG", "api.debug=true"),
}
# What Traefik 3 does anyway.
NEEDLESS = {
    "allowminweightzero": "Traefik 3 takes a weight of 0 as it is",
    "keeptrailingslash": "Traefik 3 never takes a slash away",
    "kubernetes.watch": "Traefik 3 always watches",
    "traefiklog": "Traefik 3 writes its log without being asked",
    "metrics": "Traefik 3 wants only the kind of metrics",
    "acme": "Traefik 3 wants only the resolver's settings",
}
# What a person has to do by another means; a name stands for all that begin with it and a dot.
LOST = {
    "acme": "use a certificate resolver and router.tls.certresolver: acme on each Ingress",
    "api.entrypoint": "Traefik 3 serves the API on the entry point traefik, or by a router to api@internal",
    "api.statistics": "Traefik 3 has no statistics page; use --metrics.prometheus",
    "web": "the web provider is gone; its API is --api, its metrics are --metrics.prometheus",
    "healthcheck": "health checks belong to a service of Traefik 3; Kubernetes has readiness probes",
    "retry": "make a Middleware with spec.retry, and name it in router.middlewares",
    "tracing": "Traefik 3 sends OpenTelemetry only: --tracing.otlp.http.endpoint=URL",
    "metrics.influxdb": "Traefik 3 knows InfluxDB 2: --metrics.influxdb2.address, .token, .org, .bucket",
    "configfile": "a TOML file of 1.7 is not read: write what is in it as arguments",
    "cluster": "Traefik 3 has no cluster mode; each pod reads the API by itself",
    "constraints": "Traefik 3 has --providers.NAME.constraints; for Kubernetes use a labelselector",
    "kubernetes.disablepasshostheaders": "annotate Services: traefik.ingress.kubernetes.io/service.passhostheader",
    "kubernetes.enablepasstlscert": "make a Middleware with spec.passTLSClientCert.pem: true",
    "kubernetes": "Traefik 3 has no such option of its Kubernetes provider",
    "accesslog": "Traefik 3 has no such option of its access log",
    **{
        name: f"this command knows the Kubernetes provider only; Traefik 3 documents providers.{name}"
        for name in ("consul", "consulcatalog", "docker", "ecs", "etcd", "file", "marathon", "rancher", "rest")
    }
    | dict.fromkeys(
        ("boltdb", "dynamodb", "eureka", "mesos", "servicefabric", "zookeeper"), "Traefik 3 has no such provider"
    ),
}
SHORT = {"l": "loglevel", "d": "debug", "g": "gracetimeout", "c": "configfile"}
# Names of fields are part of the name in Traefik 3: `Username=redact Host=drop` -> .Username=redact, .Host=drop.
NAMED = ("accesslog.fields.names", "accesslog.fields.headers.names")
# What tells arguments of Traefik 2 and 3: no name of 1.7 begins so.
PRESENT = re.compile(
    r"--(?:providers\.|entrypoints\.[^=]|serverstransport\.|certificatesresolvers\.|log\.|global\.)", re.I
)


@dataclass(frozen=True)
class Argument:
    """One argument of 1.7. index: which word of the list it was. typed: that word, with the value after it."""

    index: int
    name: str
    value: str | None
    typed: str

    def __str__(self) -> str:
        return self.typed


@dataclass
class Arguments:
    """What became of a list. notes: (index of the word, or -1; how; text). ingress_class: the one it looks for."""

    words: list[str] = field(default_factory=list)
    notes: list[tuple[int, How, str]] = field(default_factory=list)
    ingress_class: str = ""

    def say(self, index: int, how: How, text: str) -> None:
        """What is to be said of a word; -1: of the list."""
        self.notes.append((index, how, text))


def is_present(words: Sequence[str]) -> bool:
    """Whether these are arguments of Traefik 2 or 3 already."""
    return any(PRESENT.match(word) for word in words)


def parsed(words: Sequence[str]) -> Iterator[Argument]:
    """The arguments of 1.7, whose names are the same in upper and lower case; a value may be the next word."""
    left = list(enumerate(words))
    while left:
        index, word = left.pop(0)
        dashes = "--" if word.startswith("--") else "-" if word.startswith("-") else ""
        name, equals, value = word.removeprefix(dashes).partition("=")
        name = name.lower()
        if dashes == "-":
            name, value, equals = SHORT.get(name[:1], name), name[1:] or value, equals or name[1:]
        known = name in RENAMED or name in FIXED or name in ("entrypoints", "defaultentrypoints", *NAMED)
        if not equals and known and left and not left[0][1].startswith("-"):
            value, equals = left.pop(0)[1], "="
            word = f"{word} {value}"
        yield Argument(index, name, value.strip("'\"") if equals else None, word)


def migrate(words: Sequence[str]) -> Arguments:
    """Arguments of Traefik 3 of the same effect, and what is to be said of each."""
    result = Arguments()
    arguments = list(parsed(words))
    points = [point for each in arguments if each.name == "entrypoints" for point in _points(each, result)]
    if not points:
        points = [DEFAULT]
        result.words += DEFAULT.arguments
        result.say(-1, "changed", f"the entry point that 1.7 has by itself: {' '.join(DEFAULT.arguments)}")
    for each in sorted(arguments, key=lambda each: each.name != "debug"):  # 1.7 lets a log level win over it
        _one(each, points, result)
    _defaults(arguments, points, result)
    # what is given twice Traefik 3 takes for a list, and 1.7 takes the last
    result.words = list({word.partition("=")[0]: word for word in result.words}.values())
    return result


def _points(argument: Argument, result: Arguments) -> Iterator[EntryPoint]:
    point = entry_point(argument.value or "")
    if point is None:
        result.say(argument.index, "lost", f"{argument} names no entry point (Name:NAME Address::PORT)")
        return
    result.words += point.arguments
    result.say(argument.index, "changed", f"{argument} -> {' '.join(point.arguments)}")
    for option, do in point.lost:
        result.say(argument.index, "lost", f"{option} of entry point {point.name}: {do}")
    yield point


def _one(each: Argument, points: Sequence[EntryPoint], result: Arguments) -> None:
    if each.name == "entrypoints":
        return
    if each.name == "defaultentrypoints":
        found = [f"entrypoints.{name}.asdefault=true" for name in re.split(r"[,\s]+", each.value or "") if name]
    elif each.name in NAMED:
        found = [f"{each.name}.{pair}" for pair in re.split(r"[,\s]+", each.value or "") if "=" in pair]
    elif each.name in FIXED:
        found = [] if each.value == "false" else list(FIXED[each.name])
    elif each.name in RENAMED:
        value = "true" if each.value is None else each.value
        new = RENAMED[each.name]
        names = [new.replace(EVERY, f"entrypoints.{point.name}") for point in points] if EVERY in new else [new]
        found = [f"{name}={value}" for name in names]
        if each.name == "kubernetes.ingressclass":
            result.ingress_class = value
    elif each.name in NEEDLESS:
        result.say(each.index, "changed", f"{each} left out: {NEEDLESS[each.name]}")
        return
    else:
        result.say(each.index, "lost", f"{each} has no successor: {_instead(each.name)}")
        return
    new_words = [f"--{word}" for word in found]
    result.words += new_words
    if [word.lower() for word in new_words] != [str(each).lower()]:
        result.say(each.index, "changed", f"{each} -> {' '.join(new_words) or 'left out'}")


def _instead(name: str) -> str:
    while name:
        if name in LOST:
            return LOST[name]
        name = name.rpartition(".")[0]
    return "it is no argument of Traefik 1.7"


def _defaults(arguments: Sequence[Argument], points: Sequence[EntryPoint], result: Arguments) -> None:
    """What Traefik 3 does otherwise when nothing is said."""
    given = {each.name for each in arguments}
    names = [point.name for point in points]
    if len(points) > 1 and "defaultentrypoints" not in given and "http" in names:
        option = "--entrypoints.http.asdefault=true"
        result.words.append(option)
        result.say(-1, "changed", f"{option} is added: 1.7 takes the entry point http by default")
    if not any("forwardedheaders" in word for word in result.words):
        option = f"--entrypoints.{names[0]}.forwardedheaders.trustedips"
        text = f"1.7 believes X-Forwarded-* of everybody, Traefik 3 of nobody: add {option}=ADDRESS of the edge"
        result.say(-1, "todo", text)
    if not any("readtimeout" in word for word in result.words):
        option = f"--entrypoints.{names[0]}.transport.respondingtimeouts.readtimeout"
        text = f"a request may now take 60 s to arrive, in 1.7 for ever: {option}=0 lifts it for long uploads"
        result.say(-1, "todo", text)
