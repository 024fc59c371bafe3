"""Routes of the Gateway API against the fields of its standard channel, offline.

    python -m provision.resources.kubernetes.gateway_api FOLDER    prints gateway-api-VERSION.json

FOLDER is config/crd/standard of a release of sigs.k8s.io/gateway-api. Of its definitions only what can be told from a
route alone is kept: fields, types, sizes and values.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from provision.resources.kubernetes.diff import Object
from provision.spelling import clipped, listed, nearest

GROUP, VERSION = "gateway.networking.k8s.io", "1.6.3"
SCHEMAS = Path(__file__).with_name(f"gateway-api-{VERSION}.json")
FILES = {"HTTPRoute": "httproutes", "GRPCRoute": "grpcroutes"}
KEPT = ("type", "enum", "required", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """What the API would refuse of a route, or cut away. place: ("spec", "rules", 0, "matches")."""

    place: Place
    found: str
    do: str = ""


def faults(item: Object) -> Iterator[Fault]:
    """Every fault of a route; nothing of another object."""
    group, _, version = str(item.get("apiVersion", "")).partition("/")
    if group != GROUP or item.get("kind") not in FILES:
        return
    known = _schemas()[item["kind"]]
    if version not in known["versions"]:
        has = listed(f"{GROUP}/{each}" for each in known["versions"])
        found = f"{item['kind']} is not in {item['apiVersion']} of the Gateway API {VERSION}"
        yield Fault(("apiVersion",), found, f"Write apiVersion: {has}")
        return
    yield from _judge(item, known["schema"], ())
    yield from _without_port(item.get("spec"), ("spec",))


@cache
def _schemas() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(SCHEMAS.read_text())
    return found


def _judge(value: Any, schema: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    wanted = schema.get("type")
    if wanted and (not isinstance(value, TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
        yield Fault(place, f"{clipped(json.dumps(value, default=str), 60)} is no {wanted}")
    elif isinstance(value, dict):
        yield from _fields(value, schema, place)
    elif isinstance(value, list):
        yield from _size(len(value), schema, ("minItems", "maxItems"), "elements", place)
        for number, each in enumerate(value):
            yield from _judge(each, schema.get("items", {}), (*place, number))
    else:
        yield from _scalar(value, schema, place)


def _fields(value: Mapping[str, Any], schema: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    known: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(place, f"{name} is missing", f"Add {name}")
    for name, each in value.items() if known else ():
        if name in known:
            yield from _judge(each, known[name], (*place, name))
        else:
            near = nearest(str(name), known)
            do = f"Did you mean {near}?" if near else f"Take it out; there are: {listed(known)}"
            yield Fault((*place, name), f"There is no field {clipped(name)} here", do)


def _scalar(value: Any, schema: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    shown = clipped(json.dumps(value, default=str), 60)
    if "enum" in schema and value not in schema["enum"]:
        near = nearest(str(value), schema["enum"])
        do = f"Did you mean {near}?" if near else f"Write one of {listed(schema['enum'], 20)}"
        yield Fault(place, f"{shown} is none of its values", do)
    elif isinstance(value, str):
        yield from _size(len(value), schema, ("minLength", "maxLength"), "characters", place)
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield Fault(place, f"{shown} does not match {clipped(schema['pattern'])}")
    elif isinstance(value, int):
        yield from _size(value, schema, ("minimum", "maximum"), "", place)


def _size(size: int, schema: Mapping[str, Any], names: tuple[str, str], unit: str, place: Place) -> Iterator[Fault]:
    least, most = schema.get(names[0]), schema.get(names[1])
    if (least is not None and size < least) or (most is not None and size > most):
        wanted = f"from {least or 0} to {most}" if most is not None else f"{least} or more"
        yield Fault(place, f"It is {size} {unit}".rstrip(), f"Allowed is {wanted}")


def _without_port(value: Any, place: Place) -> Iterator[Fault]:
    """References to Services without a port: a rule of the definitions in a language of its own (CEL)."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in parts:
        here = (*place, key)
        backend = isinstance(each, dict) and (key == "backendRef" or place[-1:] == ("backendRefs",))
        if backend and each.get("kind", "Service") == "Service" and not each.get("group") and "port" not in each:
            yield Fault(here, "port is missing", "Add port: that of the Service, a number")
        yield from _without_port(each, here)


def _stripped(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: schema[name] for name in KEPT if name in schema}
    if "properties" in schema:
        found["required"] = [name for name in schema.get("required", ()) if "default" not in schema["properties"][name]]
        found["properties"] = {name: _stripped(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        found["items"] = _stripped(schema["items"])
    return found


def main(folder: Path) -> None:
    """Prints what is kept of a release's definitions, a kind in each line."""
    import yaml

    lines = []
    for kind, name in FILES.items():
        definition = yaml.safe_load((folder / f"{GROUP}_{name}.yaml").read_text())
        served = {each["name"]: each for each in definition["spec"]["versions"] if each["served"]}
        schema = _stripped(served["v1"]["schema"]["openAPIV3Schema"])
        schema["properties"]["status"] = {"type": "object"}
        lines.append(f"{json.dumps(kind)}: {json.dumps({'versions': list(served), 'schema': schema})}")
    print("{", ",\n".join(lines), "}", sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
