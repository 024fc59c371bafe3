"""The file of `trace --with`: objects as kubectl would apply them, and what of them a trace does not judge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from provision.errors import InputError
from provision.home import expanded
from urltrace.kubernetes.objects import Objects, read_objects

TEMPLATE = re.compile(r"\{\{|\{%")
SERVED = "networking.k8s.io/v1"
ROUTES = ("HTTPRoute", "GRPCRoute", "IngressRoute", "Gateway", "Middleware")


@dataclass(frozen=True)
class Change:
    """objects: of the file. unjudged: a line for each object that decides about requests too, and is not judged."""

    objects: Objects
    unjudged: tuple[str, ...] = ()


def read_change(name: str) -> Change:
    """The objects of a file of manifests. Raises InputError, exit 4."""
    try:
        text = expanded(name).read_text(encoding="utf-8")
        template = next((number for number, line in enumerate(text.splitlines(), 1) if TEMPLATE.search(line)), 0)
        if template:
            raise InputError(
                f"{name}, line {template} is a template of Jinja or Helm",
                do="Name a file of manifests as they are applied: what `helm template` prints, or kubectl get -o yaml.",
            )
        documents = list(yaml.safe_load_all(text))
        _refuse_old(name, documents)
        return Change(read_objects(documents), tuple(_unjudged(documents)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        found = error.strerror or "" if isinstance(error, OSError) else str(error)
        raise InputError(f"{name} can't be read", found=found, do="Name a file of manifests.") from None


def _refuse_old(name: str, documents: Iterable[Any]) -> None:
    """An Ingress of an API that is served no more has other fields: it would be read as one without Services."""
    for kind, version, key in _named(documents):
        if kind == "Ingress" and version != SERVED:
            raise InputError(
                f"{name}: Ingress {key} is of apiVersion {version or 'none'}",
                do=f"Write apiVersion: {SERVED}; its backend is service: {{name: …, port: {{number: …}}}}, and each "
                "path has a pathType.",
            )


def _unjudged(documents: Iterable[Any]) -> Iterator[str]:
    for kind, _, key in _named(documents):
        if kind in ROUTES:
            yield f"{kind} {key} is not judged: only what Ingresses change is foretold"


def _named(documents: Iterable[Any]) -> Iterator[tuple[str, str, str]]:
    """Kind, apiVersion and NAMESPACE/NAME of each object, lists flattened."""
    for one in documents:
        if not isinstance(one, dict):
            continue
        kind, held = str(one.get("kind", "")), one.get("metadata")
        if kind.endswith("List"):
            yield from _named(one.get("items") or ())
            continue
        named = held if isinstance(held, dict) else {}
        yield kind, str(one.get("apiVersion", "")), f"{named.get('namespace', 'default')}/{named.get('name', '')}"
