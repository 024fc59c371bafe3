"""Kubernetes objects as data: reading, naming and comparing them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from provision.errors import InputError

Object = Mapping[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NEVER_REMOVED = ("metadata.annotations", "metadata.namespace")  # of an object that names none, kubectl writes default
_SUFFIXES = {"m": -3, "k": 3, "M": 6, "G": 9, "T": 12}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4}


def parse(text: str, source: str) -> tuple[Object, ...]:
    """The objects of a YAML stream, `List`s unfolded. Raises InputError naming source:line:column."""
    from provision.resources.kubernetes.stream import read_stream

    found = []
    for document, node in read_stream(text, source):
        if document and node:
            line = f"{source}:{node.start_mark.line + 1}"
            found += [_checked(item, line) for item in _unfolded(document, line)]
    return tuple(found)


def _unfolded(document: Any, line: str) -> list[Any]:
    """The objects of one document."""
    if not isinstance(document, Mapping) or document.get("kind") != "List":
        return [document]
    items = document.get("items") or []
    if not isinstance(items, list):
        found = f"Its items are {items!r:.60}"
        raise InputError("the manifest has a List of nothing", line=line, found=found, do="Write items as a list")
    return items


def _checked(item: Any, source: str) -> Object:
    if not isinstance(item, Mapping):
        raise InputError(
            "the manifest holds something that is no object",
            line=source,
            found=f"It is {item!r:.60}",
            do="Write objects with apiVersion, kind and metadata, and --- between them",
        )
    metadata = item.get("metadata")
    missing = [key for key in ("apiVersion", "kind") if not isinstance(item.get(key), str) or not item[key]]
    missing += ["metadata"] if not metadata else []
    if missing or not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        lacks = ", ".join(missing) or "metadata.name"
        raise InputError(
            f"an object of the manifest has no {lacks}",
            line=source,
            found=f"It has {', '.join(sorted(map(str, item)))}",
            do=f"Add {lacks}, or take the object out",
        )
    return item


def identity(item: Object) -> tuple[str, str, str]:
    """(kind, namespace, name); cluster objects and those that name no namespace have ''."""
    metadata = item["metadata"]
    return (item["kind"], metadata.get("namespace", ""), metadata["name"])


def place(item: Object) -> tuple[str, str, str]:
    """Its identity in a cluster, where an object that names no namespace is in `default`."""
    kind, namespace, name = identity(item)
    return (kind, namespace or "default", name)


def title(item: Object) -> str:
    """`DaemonSet kube-system/traefik-ingress`."""
    kind, namespace, name = identity(item)
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def differences(declared: Object, live: Object) -> dict[str, tuple[Any, Any]]:
    """Path -> (live, declared) of every declared field that the live object does not have so.

    Fields that nobody declared are the API's own business, except those that an earlier apply declared: they are in
    the last-applied annotation and have to go.
    """
    found: dict[str, tuple[Any, Any]] = {}
    _compare(_plain(declared), live, "", found)
    applied = live.get("metadata", {}).get("annotations", {}).get(LAST_APPLIED)
    if applied:
        _removed(json.loads(applied), declared, live, "", found)
    return found


def _plain(item: Object) -> Object:
    """A Secret's stringData as the API keeps it."""
    if item.get("kind") != "Secret" or "stringData" not in item:
        return item
    import base64

    data = {key: base64.b64encode(value.encode()).decode() for key, value in item["stringData"].items()}
    return {
        **{key: value for key, value in item.items() if key != "stringData"},
        "data": {**item.get("data", {}), **data},
    }


def _compare(declared: Any, live: Any, path: str, found: dict[str, tuple[Any, Any]]) -> None:
    if isinstance(declared, Mapping):
        if not isinstance(live, Mapping):
            if declared:
                found[path] = (live, declared)
            return
        for key, value in declared.items():
            _compare(value, live.get(key), f"{path}.{key}" if path else key, found)
    elif isinstance(declared, list):
        if not isinstance(live, list) or len(live) != len(declared):
            if declared or live:
                found[path] = (live, declared)
            return
        for number, (wanted, actual) in enumerate(zip(declared, live, strict=True)):
            _compare(wanted, actual, f"{path}[{number}]", found)
    elif not _same(declared, live):
        found[path] = (live, declared)


def _removed(applied: Any, declared: Any, live: Any, path: str, found: dict[str, tuple[Any, Any]]) -> None:
    if isinstance(applied, Mapping) and isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key, value in applied.items():
            below = f"{path}.{key}" if path else key
            if key not in live or below in _NEVER_REMOVED or (not path and key == "stringData"):
                continue
            if key not in declared:
                found.setdefault(below, (live[key], None))
            else:
                _removed(value, declared[key], live[key], below, found)
    elif isinstance(applied, list) and isinstance(declared, list) and isinstance(live, list):
        for number, parts in enumerate(zip(applied, declared, live, strict=False)):
            _removed(*parts, f"{path}[{number}]", found)


def _same(declared: Any, live: Any) -> bool:
    if declared == live:
        return True
    if declared in (None, "", False) and live in (None, "", False):
        return True  # the API drops empty values
    if isinstance(declared, bool) or isinstance(live, bool):
        return False
    first, second = quantity(declared), quantity(live)
    return first is not None and first == second


def quantity(value: Any) -> Decimal | None:
    """A resource quantity as a number ("100m" is 0.1, "1Gi" 1073741824); None when it is not one."""
    text = str(value)
    try:
        if text[-2:] in _BINARY:
            return Decimal(text[:-2]) * Decimal(1024 ** _BINARY[text[-2:]])
        if text[-1:] in _SUFFIXES:
            return Decimal(text[:-1]).scaleb(_SUFFIXES[text[-1:]])
        return Decimal(text)
    except InvalidOperation:
        return None
