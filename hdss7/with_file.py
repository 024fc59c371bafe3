"""The file of `trace --with`: objects as kubectl would apply them, and what of them a trace does not judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from hdss7.ingress.documents import TEMPLATE, Document, parse
from provision.errors import InputError
from provision.home import expanded
from provision.resources.kubernetes.schema import check_objects
from urltrace.kubernetes.objects import Objects, read_objects

SERVED = "networking.k8s.io/v1"
ROUTES = ("HTTPRoute", "GRPCRoute", "IngressRoute", "Gateway", "Middleware")


@dataclass(frozen=True)
class Change:
    """objects: of the file. unjudged: a line for each object that decides about requests too, and is not judged."""

    objects: Objects
    unjudged: tuple[str, ...] = ()


def read_change(name: str) -> Change:
    """The objects of a file of manifests. Raises InputError, exit 4."""
    text = _text(name)
    template = next((number for number, line in enumerate(text.splitlines(), 1) if TEMPLATE.search(line)), 0)
    if template:
        raise InputError(
            f"{name}, line {template} is a template of Jinja or Helm",
            do="Name a file of manifests as they are applied: what `helm template` prints, or kubectl get -o yaml.",
        )
    documents = parse(text, name)
    if not documents:
        raise InputError(f"there is no object in {name}", do="Name a file of manifests.")
    _check(documents)
    try:
        return Change(read_objects(each.value for each in documents), tuple(_unjudged(documents)))
    except msgspec.ValidationError as error:
        raise InputError(f"{name} can't be read", found=str(error), do="Name a file of manifests.") from None


def _text(name: str) -> str:
    try:
        return expanded(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror or "" if isinstance(error, OSError) else "It is not UTF-8"
        raise InputError(f"{name} can't be read", found=found, do="Name a file of manifests.") from None


def _check(documents: Iterable[Document]) -> None:
    """Refuse what no API server takes. An Ingress of an API that is served no more has other fields: it would be read
    as one without Services."""
    for each in documents:
        version = each.value["apiVersion"]
        if each.value["kind"] == "Ingress" and version != SERVED:
            raise InputError(
                f"{each.title} is of apiVersion {version}",
                line=each.line("apiVersion"),
                do=f"Write apiVersion: {SERVED}; its backend is service: {{name: …, port: {{number: …}}}}, and each "
                "path has a pathType.",
            )
        check_objects([dict(each.value)], each.line_at)


def _unjudged(documents: Iterable[Document]) -> Iterator[str]:
    for each in documents:
        if each.value["kind"] in ROUTES:
            metadata = each.value["metadata"]
            key = f"{metadata.get('namespace', 'default')}/{metadata['name']}"
            yield f"{each.value['kind']} {key} is not judged: only what Ingresses change is foretold"
