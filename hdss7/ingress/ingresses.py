"""An Ingress of the beta APIs as networking.k8s.io/v1 and Traefik 3 need it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hdss7.ingress import old_annotations
from hdss7.ingress.documents import Document, Say, mapping, sequence
from provision.errors import InputError
from provision.resources.kubernetes.stream import Place

CONTROLLER = "traefik.io/ingress-controller"
CLASS = "traefik"


def migrate_ingress(document: Document, item: dict[str, Any], served: str, say: Say) -> list[dict[str, Any]]:
    """Changes the item; returns the Middlewares that it uses now.

    served: the only class that this Traefik 1.7 looks for; '' when it takes what has no class too.
    """
    spec = mapping(item.get("spec"))
    prefixes = [str(path["path"]) for _, path in paths(spec) if path.get("path")]
    middlewares = migrate_annotations(item, prefixes, say)
    if item["apiVersion"] == document.value["apiVersion"]:
        return middlewares
    _class(item, spec, served, say)
    if "backend" in spec:
        spec["defaultBackend"] = _backend(document, ("spec", "backend"), spec.pop("backend"))
        say(("spec", "backend"), "changed", "backend -> defaultBackend")
    for place, path in paths(spec):
        if "backend" in path:
            path["backend"] = _backend(document, (*place, "backend"), path["backend"])
        if "pathType" not in path:
            path["pathType"] = "ImplementationSpecific"
            say(
                place,
                "changed",
                "backend.service; pathType ImplementationSpecific is a prefix, as in 1.7",
            )
    if spec.get("tls"):
        text = "Traefik 3 serves TLS where the entry point has http.tls, or the Ingress has router.tls: 'true'"
        say(("spec", "tls"), "todo", text)
    return middlewares


def paths(spec: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Each path of an Ingress, and where it is."""
    for number, rule in enumerate(sequence(spec.get("rules"))):
        for index, path in enumerate(sequence(mapping(mapping(rule).get("http")).get("paths"))):
            if isinstance(path, dict):
                yield ("spec", "rules", number, "http", "paths", index), path


def migrate_annotations(item: dict[str, Any], prefixes: Sequence[str], say: Say) -> list[dict[str, Any]]:
    """Changes the item's annotations; returns the Middlewares that it uses now."""
    metadata = item["metadata"]
    result = old_annotations.migrate(mapping(metadata.get("annotations")), item["kind"], prefixes)
    for annotation, how, text in result.notes:
        say(("metadata", "annotations", annotation), how, text)
    made: list[dict[str, Any]] = []
    for suffix, spec in result.middlewares:
        named: dict[str, Any] = {"name": f"{metadata['name']}-{suffix}"}
        if metadata.get("namespace"):
            named["namespace"] = metadata["namespace"]
        made.append({"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": named, "spec": spec})
    if made:
        prefix = old_annotations.ROUTER if item["kind"] == "Ingress" else old_annotations.SERVICE
        namespace = metadata.get("namespace") or "default"
        names = (f"{namespace}-{each['metadata']['name']}@kubernetescrd" for each in made)
        result.kept[f"{prefix}middlewares"] = ",".join(names)
    if result.kept:
        metadata["annotations"] = result.kept
    else:
        metadata.pop("annotations", None)
    return made


def _class(item: dict[str, Any], spec: dict[str, Any], served: str, say: Say) -> None:
    if spec.get("ingressClassName"):
        return
    found = mapping(item["metadata"].get("annotations"))
    named = found.pop(old_annotations.CLASS, "")
    if not found:
        item["metadata"].pop("annotations", None)
    place: Place = ("metadata", "annotations", old_annotations.CLASS)
    if named:
        spec["ingressClassName"] = named
        say(place, "changed", f"{old_annotations.CLASS} -> spec.ingressClassName: {named}")
    elif served:
        say(("spec",), "todo", f"it has no class, and this Traefik serves class {served} only: name a class")
    else:
        spec["ingressClassName"] = CLASS
        say(("spec",), "changed", f"spec.ingressClassName: {CLASS} is added: 1.7 serves what has no class")


def _backend(document: Document, place: Place, old: Any) -> Any:
    if not isinstance(old, dict) or "serviceName" not in old:
        return old
    port = old.get("servicePort")
    if isinstance(port, bool) or not isinstance(port, (int, str)) or port == "":
        raise InputError(
            f"{document.title}: a backend has no servicePort",
            line=document.line(*place),
            do="Add servicePort: the number or name of the Service's port",
        )
    number = isinstance(port, int) or port.isdecimal()
    return {"service": {"name": old["serviceName"], "port": {"number": int(port)} if number else {"name": port}}}
