"""A DaemonSet or Deployment of Traefik 1.7 as apps/v1 and Traefik 3 need it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hdss7.ingress import arguments
from hdss7.ingress.documents import Document, Say, mapping, sequence
from provision.errors import InputError
from provision.resources.kubernetes.stream import Place

KINDS = ("DaemonSet", "Deployment")
IMAGE = re.compile(r"(?P<name>(?:.*/)?traefik)(?::(?P<tag>[^@/:]*))?(?:@sha256:[0-9a-f]+)?")
GONE = ("templateGeneration", "rollbackTo")  # fields that apps/v1 has not


def traefik_container(item: Mapping[str, Any]) -> tuple[Place, dict[str, Any]] | None:
    """Where a workload's container of Traefik is, and what it is; None when it has none."""
    if item["kind"] not in KINDS:
        return None
    pod = mapping(mapping(mapping(item.get("spec")).get("template")).get("spec"))
    for index, container in enumerate(sequence(pod.get("containers"))):
        if IMAGE.fullmatch(str(mapping(container).get("image", ""))):
            return ("spec", "template", "spec", "containers", index), container
    return None


def ingress_class(item: Mapping[str, Any]) -> str:
    """The class that Traefik 1.7 was told to look for; '' when it takes what has no class too."""
    found = traefik_container(item)
    words = _words(found[1]) if found else []
    return "" if arguments.is_present(words) else arguments.migrate(words).ingress_class


def migrate_workload(document: Document, item: dict[str, Any], version: str, say: Say) -> None:
    """Changes the item. version: of Traefik 3. Raises InputError for pods that no selector can find."""
    spec = mapping(item.get("spec"))
    template = mapping(spec.get("template"))
    if not isinstance(template.get("spec"), dict):
        raise InputError(
            f"{document.title} has no spec.template.spec",
            line=document.line("spec"),
            do="Add it, or take the object out",
        )
    if not spec.get("selector"):
        spec["selector"] = {"matchLabels": _labels(document, template)}
        shown = ", ".join(f"{name}: {value}" for name, value in spec["selector"]["matchLabels"].items())
        say(("spec",), "changed", f"selector {{{shown}}} is added: apps/v1 wants one")
    if item["apiVersion"] != document.value["apiVersion"]:
        if item["kind"] == "DaemonSet" and "updateStrategy" not in spec:
            spec["updateStrategy"] = {"type": "OnDelete"}
            say(("spec",), "changed", "updateStrategy OnDelete is written out: it was the default, and no longer is")
        for name in GONE:
            if spec.pop(name, None) is not None:
                say(("spec", name), "changed", f"{name} left out: apps/v1 has no such field")
    if found := traefik_container(item):
        _migrate_image(*found, version, say)
        _migrate_arguments(*found, say)


def _labels(document: Document, template: Mapping[str, Any]) -> dict[str, Any]:
    labels = mapping(mapping(template.get("metadata")).get("labels"))
    if not labels:
        raise InputError(
            f"{document.title} has neither a selector nor labels on its pods",
            line=document.line("spec", "template", "metadata"),
            found="apps/v1 has to know which pods are its own",
            do="Add spec.template.metadata.labels",
        )
    return dict(labels)


def _migrate_image(place: Place, container: dict[str, Any], version: str, say: Say) -> None:
    match = IMAGE.fullmatch(container["image"])
    assert match
    if re.match(r"v?[3-9]\.", match["tag"] or ""):
        return
    new = f"{match['name']}:v{version}"
    say((*place, "image"), "changed", f"image {container['image']} -> {new}")
    if match["name"] not in ("traefik", "docker.io/library/traefik"):
        say((*place, "image"), "todo", f"put {new} into that registry")
    container["image"] = new


def _migrate_arguments(place: Place, container: dict[str, Any], say: Say) -> None:
    words = _words(container)
    if arguments.is_present(words):
        return
    result = arguments.migrate(words)
    command = sequence(container.get("command"))
    if command:
        say((*place, "command"), "changed", "command is left out, its arguments go into args: the image starts traefik")
        del container["command"]
    container["args"] = result.words
    for index, how, text in result.notes:
        before = max(len(command) - 1, 0)
        at: Place = ("command", index + 1) if index < before else ("args", index - before)
        say((*place, *at) if index >= 0 else (*place, "args"), how, text)


def _words(container: Mapping[str, Any]) -> list[str]:
    """What Traefik is started with; the first word of a command is the program itself."""
    return [str(word) for word in (*sequence(container.get("command"))[1:], *sequence(container.get("args")))]
