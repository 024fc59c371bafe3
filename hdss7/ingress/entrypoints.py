"""An entry point as Traefik 1.7 writes it (`Name:http Address::80 TLS`), as arguments of Traefik 3. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# option of 1.7 -> what follows `entrypoints.NAME.` in Traefik 3
RENAMED = {
    "address": "address",
    "forwardedheaders.insecure": "forwardedheaders.insecure",
    "forwardedheaders.trustedips": "forwardedheaders.trustedips",
    "proxyprotocol.insecure": "proxyprotocol.insecure",
    "proxyprotocol.trustedips": "proxyprotocol.trustedips",
    "redirect.entrypoint": "http.redirections.entrypoint.to",
    "redirect.permanent": "http.redirections.entrypoint.permanent",
}
# option, or the first part of its name -> what to do instead
LOST = {
    "auth": "make a Middleware with spec.basicAuth, spec.digestAuth or spec.forwardAuth",
    "ca": "make a TLSOption with spec.clientAuth",
    "compress": "make a Middleware with spec.compress",
    "redirect": "make a Middleware with spec.redirectRegex",
    "tls": "make a TLSOption (versions, ciphers) or a TLSStore (certificates)",
    "whitelist": "make a Middleware with spec.ipAllowList",
}


@dataclass(frozen=True)
class EntryPoint:
    """One entry point. arguments: Traefik 3's, dashes included. lost: options, and what to do instead."""

    name: str
    arguments: Sequence[str]
    lost: Sequence[tuple[str, str]] = ()


DEFAULT = EntryPoint("http", ("--entrypoints.http.address=:80",))


def entry_point(text: str) -> EntryPoint | None:
    """The entry point that the value of `--entryPoints` describes; None when it names none."""
    options: dict[str, str] = {}
    for word in text.split():
        option, _, value = word.partition(":")
        options[option.lower()] = value
    name = options.pop("name", "").lower()
    if not name:
        return None
    found, lost = [], []
    for option, value in options.items():
        if option == "tls":
            found.append("http.tls=true")
        elif new := RENAMED.get(option):
            found.append(f"{new}={value or 'true'}")
        if (option == "tls" and value) or (option != "tls" and option not in RENAMED):
            lost.append((option, LOST.get(option.split(".")[0], "it is no option of Traefik 1.7")))
    if "redirect.entrypoint" in options and "redirect.permanent" not in options:
        found.append("http.redirections.entrypoint.permanent=false")  # 302, as in 1.7
    if "address" not in options:
        found.insert(0, "address=:80")
    return EntryPoint(name, [f"--entrypoints.{name}.{each}" for each in found], lost)
