"""Annotations of Traefik 1.7 as the spec of a Middleware of Traefik 3 (traefik.io/v1alpha1). Pure.

Each function takes the annotations that belong together, by the name after the prefix, and the paths of the Ingress.
It returns the spec, or None when they ask for nothing. It raises ValueError with what is wrong with a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Values = Mapping[str, str]
Spec = dict[str, Any]

AUTH = (
    "auth-type",
    "auth-secret",
    "auth-realm",
    "auth-remove-header",
    "auth-header-field",
    "auth-url",
    "auth-trust-headers",
    "auth-response-headers",
    "auth-tls-secret",
    "auth-tls-insecure",
)


def yes(value: str) -> bool:
    """A truth value as Go reads it. Raises ValueError."""
    if value in ("true", "True", "TRUE", "1", "t", "T"):
        return True
    if value in ("false", "False", "FALSE", "0", "f", "F"):
        return False
    raise ValueError(f"'{value}' is neither true nor false")


def number(value: str) -> int:
    """A whole number. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,18}", value.strip()):
        raise ValueError(f"'{value}' is no number")
    return int(value)


def items(value: str) -> list[str]:
    """`a, b` as a list."""
    return [item.strip() for item in value.split(",") if item.strip()]


def pairs(value: str) -> dict[str, str]:
    """`NAME:value||NAME2:value2` as a mapping. Raises ValueError."""
    found: dict[str, str] = {}
    for pair in value.split("||"):
        name, colon, text = pair.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"'{pair}' is no NAME:value")
        found[name.strip()] = text.strip()
    return found


# annotation -> (field of spec.headers, how its value is read)
HEADERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "custom-request-headers": ("customRequestHeaders", pairs),
    "custom-response-headers": ("customResponseHeaders", pairs),
    "allowed-hosts": ("allowedHosts", items),
    "proxy-headers": ("hostsProxyHeaders", items),
    "ssl-proxy-headers": ("sslProxyHeaders", pairs),
    "hsts-max-age": ("stsSeconds", number),
    "hsts-include-subdomains": ("stsIncludeSubdomains", yes),
    "hsts-preload": ("stsPreload", yes),
    "force-hsts": ("forceSTSHeader", yes),
    "frame-deny": ("frameDeny", yes),
    "custom-frame-options-value": ("customFrameOptionsValue", str),
    "content-type-nosniff": ("contentTypeNosniff", yes),
    "browser-xss-filter": ("browserXssFilter", yes),
    "custom-browser-xss-value": ("customBrowserXSSValue", str),
    "content-security-policy": ("contentSecurityPolicy", str),
    "public-key": ("publicKey", str),
    "referrer-policy": ("referrerPolicy", str),
    "is-development": ("isDevelopment", yes),
}


def headers(given: Values, paths: Sequence[str]) -> Spec | None:
    return {"headers": {HEADERS[name][0]: HEADERS[name][1](value) for name, value in given.items()}}


def allow_list(given: Values, paths: Sequence[str]) -> Spec | None:
    ranges = items(given.get("whitelist-source-range", ""))
    if not ranges:
        return None
    forwarded = yes(given.get("whitelist-x-forwarded-for", "false"))
    # the last entry is what the edge saw
    return {"ipAllowList": {"sourceRange": ranges, **({"ipStrategy": {"depth": 1}} if forwarded else {})}}


def auth(given: Values, paths: Sequence[str]) -> Spec | None:
    kind = given.get("auth-type", "").lower()
    if kind in ("basic", "digest"):
        if not given.get("auth-secret"):
            raise ValueError("auth-secret is missing")
        spec: Spec = {"secret": given["auth-secret"]}
        if "auth-realm" in given:
            spec["realm"] = given["auth-realm"]
        if "auth-remove-header" in given:
            spec["removeHeader"] = yes(given["auth-remove-header"])
        if "auth-header-field" in given:
            spec["headerField"] = given["auth-header-field"]
        return {f"{kind}Auth": spec}
    if kind == "forward":
        if not given.get("auth-url"):
            raise ValueError("auth-url is missing")
        return {"forwardAuth": _forward(given)}
    raise ValueError(f"auth-type '{kind}' is none of basic, digest and forward")


def _forward(given: Values) -> Spec:
    spec: Spec = {"address": given["auth-url"]}
    if "auth-trust-headers" in given:
        spec["trustForwardHeader"] = yes(given["auth-trust-headers"])
    if "auth-response-headers" in given:
        spec["authResponseHeaders"] = items(given["auth-response-headers"])
    tls: Spec = {}
    if "auth-tls-secret" in given:
        tls["certSecret"] = given["auth-tls-secret"]
    if "auth-tls-insecure" in given:
        tls["insecureSkipVerify"] = yes(given["auth-tls-insecure"])
    return {**spec, **({"tls": tls} if tls else {})}


def to_https(given: Values, paths: Sequence[str]) -> Spec | None:
    temporary = yes(given.get("ssl-temporary-redirect", "false"))
    if not temporary and not yes(given.get("ssl-redirect", "false")):
        return None
    return {"redirectScheme": {"scheme": "https", "permanent": not temporary}}


def to_entry_point(given: Values, paths: Sequence[str]) -> Spec | None:
    point = given.get("redirect-entry-point")
    if not point:
        return None
    if point != "https":
        raise ValueError(
            f"Traefik 3 redirects to a scheme, not to an entry point '{point}': use spec.redirectScheme.port"
        )
    return {"redirectScheme": {"scheme": "https", "permanent": _permanent(given)}}


def redirect(given: Values, paths: Sequence[str]) -> Spec | None:
    if "redirect-regex" not in given and "redirect-replacement" not in given:
        return None
    if not given.get("redirect-regex") or not given.get("redirect-replacement"):
        raise ValueError("redirect-regex and redirect-replacement go together")
    return {
        "redirectRegex": {
            "regex": given["redirect-regex"],
            "replacement": _groups(given["redirect-replacement"]),
            "permanent": _permanent(given),
        }
    }


def app_root(given: Values, paths: Sequence[str]) -> Spec | None:
    root = given.get("app-root")
    if not root:
        return None
    if not root.startswith("/"):
        raise ValueError(f"'{root}' does not begin with /")
    return {
        "redirectRegex": {
            "regex": "^(https?://[^/]+)/$",
            "replacement": "${1}" + root.replace("$", "$$"),
            "permanent": _permanent(given),
        }
    }


def _permanent(given: Values) -> bool:
    return yes(given.get("redirect-permanent", "false"))


def _groups(replacement: str) -> str:
    """`$1abc` means group 1 in 1.7's examples, and a group named 1abc to Go."""
    return re.sub(r"\$(\d+)", r"${\1}", replacement)


def strip(given: Values, paths: Sequence[str]) -> Spec | None:
    kind = given["rule-type"]
    if kind in ("PathPrefixStrip", "PathStrip"):
        return {"stripPrefix": {"prefixes": _longest_first(paths)}}
    if kind in ("PathPrefix", "Path"):
        return None
    raise ValueError(f"'{kind}' has no successor; a Middleware with spec.replacePath writes another path")


def rewrite(given: Values, paths: Sequence[str]) -> Spec | None:
    target = given["rewrite-target"].rstrip("/").replace("$", "$$")
    old = [re.escape(path) for path in _longest_first(paths) if path != "/"]
    # a path / is followed by itself: it must not be cut off
    regex = f"^(?:{'|'.join(old)})(.*)" if old else "^(.*)"
    return {"replacePathRegex": {"regex": regex, "replacement": target + "${1}"}}


def modify(given: Values, paths: Sequence[str]) -> Spec | None:
    kind, _, value = (part.strip() for part in given["request-modifier"].partition(":"))
    if kind == "AddPrefix" and value:
        return {"addPrefix": {"prefix": value}}
    if kind == "ReplacePath" and value:
        return {"replacePath": {"path": value}}
    words = value.split()
    if kind == "ReplacePathRegex" and len(words) == 2:
        return {"replacePathRegex": {"regex": words[0], "replacement": _groups(words[1])}}
    raise ValueError(f"'{given['request-modifier']}' is none of AddPrefix, ReplacePath and ReplacePathRegex")


def _longest_first(paths: Sequence[str]) -> list[str]:
    return sorted(dict.fromkeys(paths or ("/",)), key=lambda path: (-len(path), path))


def client_certificate(given: Values, paths: Sequence[str]) -> Spec | None:
    spec: Spec = {}
    if "pass-client-tls-cert" in given:
        asked = _yaml(given["pass-client-tls-cert"])
        spec = {"pem": asked.get("pem") is True}
        infos = {str(name).lower(): value for name, value in (asked.get("infos") or {}).items()}
        info: Spec = {new: True for old, new in INFOS.items() if infos.get(old) is True}
        subject = {str(name).lower(): value for name, value in (infos.get("subject") or {}).items()}
        wanted = {new: True for old, new in SUBJECT.items() if subject.get(old) is True}
        if wanted:
            info["subject"] = wanted
        if info:
            spec["info"] = info
    elif yes(given["pass-tls-cert"]):
        spec = {"pem": True}
    return {"passTLSClientCert": spec} if spec else None


INFOS = {"notafter": "notAfter", "notbefore": "notBefore", "sans": "sans"}
SUBJECT = {
    "country": "country",
    "province": "province",
    "locality": "locality",
    "organization": "organization",
    "commonname": "commonName",
    "serialnumber": "serialNumber",
    "domaincomponent": "domainComponent",
}


def rate_limit(given: Values, paths: Sequence[str]) -> Spec | None:
    asked = _yaml(given["rate-limit"])
    rates = asked.get("rateset")
    if not isinstance(rates, dict) or len(rates) != 1:
        raise ValueError("Traefik 3 has one rate a Middleware: make one with spec.rateLimit for each of the rate set")
    (rate,) = rates.values()
    if not isinstance(rate, dict) or not {"average", "burst", "period"} <= set(rate):
        raise ValueError("a rate has average, burst and period")
    spec: Spec = {"average": rate["average"], "burst": rate["burst"], "period": str(rate["period"])}
    return {"rateLimit": {**spec, **_criterion(str(asked.get("extractorfunc", "client.ip")))}}


def connections(given: Values, paths: Sequence[str]) -> Spec | None:
    if "max-conn-amount" not in given or "max-conn-extractor-func" not in given:
        raise ValueError("max-conn-amount and max-conn-extractor-func go together")
    return {
        "inFlightReq": {
            "amount": number(given["max-conn-amount"]),
            **_criterion(given["max-conn-extractor-func"]),
        }
    }


def _criterion(function: str) -> Spec:
    if function == "client.ip":
        return {"sourceCriterion": {"ipStrategy": {"depth": 1}}}  # behind the edge all have one address
    if function == "request.host":
        return {"sourceCriterion": {"requestHost": True}}
    if name := function.removeprefix("request.header.") if function.startswith("request.header.") else "":
        return {"sourceCriterion": {"requestHeaderName": name}}
    raise ValueError(f"'{function}' is none of client.ip, request.host and request.header.NAME")


BUFFERING = {
    "maxrequestbodybytes": "maxRequestBodyBytes",
    "memrequestbodybytes": "memRequestBodyBytes",
    "maxresponsebodybytes": "maxResponseBodyBytes",
    "memresponsebodybytes": "memResponseBodyBytes",
    "retryexpression": "retryExpression",
}


def buffering(given: Values, paths: Sequence[str]) -> Spec | None:
    asked = {str(name).lower(): value for name, value in _yaml(given["buffering"]).items()}
    if unknown := set(asked) - set(BUFFERING):
        raise ValueError(f"there is no '{min(unknown)}'")
    return {"buffering": {BUFFERING[name]: value for name, value in asked.items()}}


def breaker(given: Values, paths: Sequence[str]) -> Spec | None:
    return {"circuitBreaker": {"expression": given["circuit-breaker-expression"]}}


def _yaml(text: str) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("the value is no YAML mapping")
    return found
