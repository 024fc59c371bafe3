"""Ingresses as they were written for Traefik 1.7: each annotation of it, in the sets that belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

OLD = "ingress.kubernetes.io/"
ANNOTATIONS: Sequence[Mapping[str, str]] = (
    {f"traefik.{OLD}app-root": "/index.html", f"traefik.{OLD}redirect-permanent": "true"},
    {f"traefik.{OLD}redirect-regex": "^http://(.*)", f"traefik.{OLD}redirect-replacement": "https://$1"},
    {f"traefik.{OLD}redirect-entry-point": "https"},
    {f"traefik.{OLD}rewrite-target": "/users"},
    {f"traefik.{OLD}request-modifier": "AddPrefix: /users"},
    {f"traefik.{OLD}request-modifier": "ReplacePath: /users"},
    {f"traefik.{OLD}request-modifier": "ReplacePathRegex: ^/a/(.*) /b/$1"},
    {f"traefik.{OLD}rule-type": "PathPrefixStrip"},
    {f"traefik.{OLD}rule-type": "PathStrip"},
    {f"traefik.{OLD}whitelist-source-range": "1.2.3.0/24, fe80::/16", f"{OLD}whitelist-x-forwarded-for": "true"},
    {f"{OLD}auth-type": "basic", f"{OLD}auth-secret": "users", f"{OLD}auth-remove-header": "true"},
    {f"{OLD}auth-type": "digest", f"{OLD}auth-secret": "users", f"{OLD}auth-header-field": "X-User"},
    {
        f"{OLD}auth-type": "forward",
        f"{OLD}auth-url": "https://auth.od.com",
        f"{OLD}auth-trust-headers": "true",
        f"{OLD}auth-response-headers": "X-User, X-Group",
        f"{OLD}auth-tls-secret": "client",
        f"{OLD}auth-tls-insecure": "true",
    },
    {f"{OLD}ssl-redirect": "true"},
    {f"{OLD}ssl-temporary-redirect": "true"},
    {
        f"{OLD}custom-request-headers": "X-One:1||X-Two:a:b",
        f"{OLD}custom-response-headers": "X-Three:3",
        f"{OLD}allowed-hosts": "a.od.com,b.od.com",
        f"{OLD}proxy-headers": "X-Forwarded-Host",
        f"{OLD}ssl-proxy-headers": "X-Forwarded-Proto:https",
        f"{OLD}hsts-max-age": "315360000",
        f"{OLD}hsts-include-subdomains": "true",
        f"{OLD}hsts-preload": "true",
        f"{OLD}force-hsts": "false",
        f"{OLD}frame-deny": "true",
        f"{OLD}custom-frame-options-value": "SAMEORIGIN",
        f"{OLD}content-type-nosniff": "true",
        f"{OLD}browser-xss-filter": "true",
        f"{OLD}custom-browser-xss-value": "1",
        f"{OLD}content-security-policy": "default-src 'self'",
        f"{OLD}public-key": "pin",
        f"{OLD}referrer-policy": "no-referrer",
        f"{OLD}is-development": "false",
    },
    {f"traefik.{OLD}pass-tls-cert": "true"},
    {
        f"traefik.{OLD}pass-client-tls-cert": (
            "pem: true\ninfos: {notafter: true, sans: true, subject: {commonname: true, country: false}}"
        )
    },
    {f"traefik.{OLD}rate-limit": "extractorfunc: client.ip\nrateset: {one: {period: 3s, average: 6, burst: 9}}"},
    {f"traefik.{OLD}rate-limit": "extractorfunc: request.host\nrateset: {one: {period: 1, average: 6, burst: 9}}"},
)


def ingress(annotations: Mapping[str, Any], paths: Sequence[str] = ("/app", "/app/long")) -> dict[str, Any]:
    """An Ingress of the beta API."""
    backend = {"serviceName": "web", "servicePort": "80"}
    rules = [{"host": "a.od.com", "http": {"paths": [{"path": path, "backend": backend} for path in paths]}}]
    return {
        "apiVersion": "extensions/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "shop", "annotations": dict(annotations)},
        "spec": {"rules": rules},
    }
