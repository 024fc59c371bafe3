"""A rule against a request: which matcher matched, and what it compared with.

Source: pkg/muxer/http/matcher.go and pkg/middlewares/requestdecorator of Traefik 3.7.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from urltrace.request import Request, host_of
from urltrace.traefik.regexp import BadRegexpError, UnknownRegexpError, compile_go
from urltrace.traefik.routed_path import routed_path
from urltrace.traefik.rule import Matcher, Or, Rule, RuleError, matchers

Truth = bool | None  # None: it can't be known from here
REWRITTEN = ("x-forwarded-", "x-real-ip")  # Traefik writes these before it compares


@dataclass(frozen=True)
class Comparison:
    """One matcher of a rule. found: what the request has there, for a person."""

    matcher: Matcher
    matched: Truth
    found: str

    def __str__(self) -> str:
        said = {True: "matches", False: "does not match", None: "may match"}[self.matched]
        return f"{self.matcher} {said} {self.found}"


@dataclass(frozen=True)
class Evaluation:
    """A rule's answer, each of its comparisons from left to right, and those that keep it from matching."""

    matched: Truth
    comparisons: tuple[Comparison, ...]
    why_not: tuple[Comparison, ...] = ()


def evaluate(rule: Rule, request: Request) -> Evaluation:
    """Whether `rule` matches `request`, and why (not)."""
    found = {matcher: _compared(matcher, request) for matcher in matchers(rule)}
    matched = _truth(rule, found)
    why_not = () if matched else tuple(dict.fromkeys(_missing(rule, found)))
    return Evaluation(matched, tuple(found[matcher] for matcher in matchers(rule)), why_not)


def check_values(rule: Rule) -> None:
    """Raises RuleError for a regular expression or an address that Traefik refuses."""
    for matcher in matchers(rule):
        if matcher.name.endswith("Regexp") and len(matcher.values) <= 2:
            try:
                compile_go(matcher.values[-1])
            except BadRegexpError as error:
                raise RuleError(f"{matcher.name}: {error}") from None
            except UnknownRegexpError:
                continue
        elif matcher.name == "ClientIP":
            _network(matcher.values[0])


def _truth(rule: Rule, found: dict[Matcher, Comparison]) -> Truth:
    if isinstance(rule, Matcher):
        return found[rule].matched
    sides = (_truth(rule.left, found), _truth(rule.right, found))
    decisive = isinstance(rule, Or)
    if decisive in sides:
        return decisive
    return None if None in sides else not decisive


def _missing(rule: Rule, found: dict[Matcher, Comparison]) -> list[Comparison]:
    """The first comparison that failed; of an Or one of each side. What is only unknown comes when nothing failed."""
    if isinstance(rule, Matcher):
        return [] if found[rule].matched else [found[rule]]
    if isinstance(rule, Or):
        return [*_missing(rule.left, found), *_missing(rule.right, found)]
    sides = sorted((rule.left, rule.right), key=lambda side: _truth(side, found) is not False)
    return next((missing for side in sides if (missing := _missing(side, found))), [])


def _compared(matcher: Matcher, request: Request) -> Comparison:
    try:
        matched, found = COMPARE[matcher.name](matcher.values, request)
    except (UnknownRegexpError, BadRegexpError) as error:
        matched, found = None, f"the pattern can't be read here: {error}"
    return Comparison(matcher, matched if matched is None else matched != matcher.negated, found)


def canonical_host(request: Request) -> str:
    """The host as Traefik compares it: without the port, in lower case."""
    return host_of(request.host).strip().lower()


def _host(values: Sequence[str], request: Request) -> tuple[Truth, str]:
    expression, name = values[0].lower(), canonical_host(request)
    shown = f"host {name}" if name else "an empty host"
    if expression == "*":
        return True, shown
    pairs = ((name, expression), (name, expression.removesuffix(".")), (name.removesuffix("."), expression))
    return bool(name) and any(_same_domain(*pair) for pair in pairs), shown


def _same_domain(name: str, expression: str) -> bool:
    if expression.startswith("*"):
        name = ".".join(["*", *name.split(".")[1:]])
    return name == expression


def _host_regexp(values: Sequence[str], request: Request) -> tuple[Truth, str]:
    pattern, name = compile_go(values[0]), canonical_host(request)
    # Traefik also tries the name that CNAMEs lead to, which is '' unless it was asked to follow them
    return bool(pattern.search(name) or pattern.search("")), f"host {name}"


def _path(test: Callable[[str, str], bool]) -> Callable[[Sequence[str], Request], tuple[Truth, str]]:
    def compare(values: Sequence[str], request: Request) -> tuple[Truth, str]:
        path = routed_path(request.path)
        if path is None:
            return False, "a path that Traefik refuses (400)"
        return test(path, values[0]), f"path {path}"

    return compare


def _method(values: Sequence[str], request: Request) -> tuple[Truth, str]:
    return request.method == values[0].upper(), f"method {request.method}"


def _header(test: Callable[[str, str], bool]) -> Callable[[Sequence[str], Request], tuple[Truth, str]]:
    def compare(values: Sequence[str], request: Request) -> tuple[Truth, str]:
        name, wanted = values
        if name.lower() == "host":
            return False, "nothing: Host is no header to Traefik, use Host()"
        if name.lower().startswith(REWRITTEN):
            return None, f"header {name}, which Traefik itself writes"
        sent = request.values(name)
        shown = f"header {name}: {', '.join(sent)}" if sent else f"no header {name}"
        return any(test(value, wanted) for value in sent), shown

    return compare


def _query(test: Callable[[str, str], bool]) -> Callable[[Sequence[str], Request], tuple[Truth, str]]:
    def compare(values: Sequence[str], request: Request) -> tuple[Truth, str]:
        key, wanted = values[0], values[1] if len(values) > 1 else ""
        sent = [value for name, value in query_pairs(request.query) if name == key]
        shown = f"query {key}={', '.join(sent)}" if sent else f"no query {key}"
        # one parameter means an empty value, in QueryRegexp too
        return any(test(value, wanted) if len(values) > 1 else value == "" for value in sent), shown

    return compare


def query_pairs(query: str) -> list[tuple[str, str]]:
    """As Go reads them: `;` separates like `&`, and a pair that is encoded wrongly is left out."""
    pairs = []
    for pair in filter(None, query.replace(";", "&").split("&")):
        if not re.search(r"%(?![0-9A-Fa-f]{2})", pair):
            name, _, value = pair.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def _client(values: Sequence[str], request: Request) -> tuple[Truth, str]:
    if not request.client:
        return None, "the client's address, which is not known from here"
    return ipaddress.ip_address(request.client) in _network(values[0]), f"client {request.client}"


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise RuleError(f"ClientIP: {error}") from None


def _found(value: str, pattern: str) -> bool:
    return bool(compile_go(pattern).search(value))


COMPARE: dict[str, Callable[[Sequence[str], Request], tuple[Truth, str]]] = {
    "ClientIP": _client,
    "Method": _method,
    "Host": _host,
    "HostRegexp": _host_regexp,
    "Path": _path(str.__eq__),
    "PathPrefix": _path(str.startswith),
    "PathRegexp": _path(_found),
    "Header": _header(str.__eq__),
    "HeaderRegexp": _header(_found),
    "Query": _query(str.__eq__),
    "QueryRegexp": _query(_found),
}
