"""How a Traefik was told to read Ingresses: the flags of its providers and entry points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "providers.kubernetesingress"


@dataclass(frozen=True)
class Provider:
    """Flags of `--providers.kubernetesingress`. entrypoints: name and address of those that routers use by default."""

    enabled: bool = False
    ingress_class: str = ""
    namespaces: tuple[str, ...] = ()
    label_selector: str = ""
    allow_empty: bool = False
    allow_external_names: bool = False
    strict_prefix: bool = False
    cluster_scope: bool = True
    native_balancing: bool = False
    syntax: str = ""
    entrypoints: tuple[tuple[str, str], ...] = ()

    def entrypoint(self, port: int) -> str:
        """The entry point that listens on `port`; '' when there is none."""
        numbers = {address.partition("/")[0].rpartition(":")[2]: name for name, address in self.entrypoints}
        return numbers.get(str(port), "")

    @property
    def default_entrypoints(self) -> tuple[str, ...]:
        """What a router without entry points uses: each one but Traefik's own."""
        return tuple(name for name, _ in self.entrypoints if name != "traefik")


def read_provider(arguments: Iterable[str]) -> Provider:
    """The provider out of the program's arguments; names are read whatever their case."""
    given = {}
    for argument in arguments:
        name, equals, value = argument.strip().lstrip("-").partition("=")
        given[name.lower()] = value if equals else "true"
    held = {name[len(PREFIX) + 1 :]: value for name, value in given.items() if name.startswith(PREFIX + ".")}

    def yes(name: str) -> bool:
        return held.get(name, "false").lower() in ("true", "1", "t")

    return Provider(
        enabled=bool(held) or given.get(PREFIX, "false").lower() == "true",
        ingress_class=held.get("ingressclass", ""),
        namespaces=tuple(filter(None, held.get("namespaces", "").split(","))),
        label_selector=held.get("labelselector", ""),
        allow_empty=yes("allowemptyservices"),
        allow_external_names=yes("allowexternalnameservices"),
        strict_prefix=yes("strictprefixmatching"),
        cluster_scope=not (yes("disableclusterscoperesources") or yes("disableingressclasslookup")),
        native_balancing=yes("nativelbbydefault"),
        syntax=given.get("core.defaultrulesyntax", ""),
        entrypoints=tuple(
            (name.split(".")[1], value)
            for name, value in given.items()
            if name.startswith("entrypoints.") and name.endswith(".address")
        ),
    )
