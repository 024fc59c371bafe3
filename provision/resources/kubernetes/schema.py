"""Manifests against the API's schemas, offline, before anything is sent. Verdicts are cached by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import partial

from provision.errors import InputError
from provision.folders import cache_folder
from provision.resources.kubernetes.diff import Object, title
from provision.resources.kubernetes.stream import Place
from provision.spelling import listed, nearest

KNOWN = tuple(range(25, 36))  # the minor versions whose schemas kubernetes_validate brings

# Removed API versions and what replaced them (kubernetes.io/docs/reference/using-api/deprecation-guide).
REPLACED = {
    ("extensions/v1beta1", "DaemonSet"): ("apps/v1", "1.16"),
    ("extensions/v1beta1", "Deployment"): ("apps/v1", "1.16"),
    ("apps/v1beta1", "Deployment"): ("apps/v1", "1.16"),
    ("apps/v1beta2", "Deployment"): ("apps/v1", "1.16"),
    ("apps/v1beta2", "DaemonSet"): ("apps/v1", "1.16"),
    ("extensions/v1beta1", "Ingress"): ("networking.k8s.io/v1", "1.22"),
    ("networking.k8s.io/v1beta1", "Ingress"): ("networking.k8s.io/v1", "1.22"),
    ("networking.k8s.io/v1beta1", "IngressClass"): ("networking.k8s.io/v1", "1.22"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"): ("rbac.authorization.k8s.io/v1", "1.22"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"): ("rbac.authorization.k8s.io/v1", "1.22"),
}


Line = Callable[[int, Place], str]  # of a value: the number of its object, and its place in it


def check_objects(objects: Sequence[Object], source: str | Line, version: str = "") -> None:
    """Raises InputError for an object that an API server would refuse or silently cut down.

    source: what the objects were read from, or what says the line of a value in it. version: the server's, '1.34.4'; ''
    is the newest that is known. One that is not known is judged by the nearest.
    """
    line: Line = (lambda number, place: source) if isinstance(source, str) else source
    for number, item in enumerate(objects):
        replaced = REPLACED.get((item["apiVersion"], item["kind"]))
        if replaced:
            raise InputError(
                f"{title(item)}: {item['apiVersion']} {item['kind']} is gone since Kubernetes {replaced[1]}",
                line=line(number, ("apiVersion",)),
                do=f"Write apiVersion: {replaced[0]} and its present form",
            )
    schema = schema_of(version)
    text = json.dumps(objects, sort_keys=True)
    verdict = cache_folder("schemas") / hashlib.sha256(f"{schema} {text}".encode()).hexdigest()
    if os.path.exists(verdict):
        return
    for number, item in enumerate(objects):
        _validate(item, partial(line, number), schema)
    with contextlib.suppress(OSError):  # without a cache it takes longer
        verdict.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        verdict.touch()


FORMS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "names with values",
    "string": "text, in quotes if it looks like something else",
}


def schema_of(version: str) -> str:
    """The schema by which a server of this version is judged: '1.34' for '1.34.4'."""
    minor = int(version.split(".")[1]) if version.count(".") else KNOWN[-1]
    return f"1.{min(max(minor, KNOWN[0]), KNOWN[-1])}"


def _validate(item: Object, line: Callable[[Place], str], schema: str) -> None:
    import kubernetes_validate

    try:
        kubernetes_validate.validate(item, schema, strict=True)
    except kubernetes_validate.ValidationError as error:
        place = tuple(error.path)
        path = ".".join(map(str, place))
        raise InputError(
            f"{title(item)}: the API would not take {path or 'it'}",
            line=line(place),
            found=error.message,
            do=_suggestion(error) or _remedy(error, schema),
        ) from None
    except kubernetes_validate.SchemaNotFoundError:
        if others := [each for each in map(schema_of, (f"1.{minor}" for minor in KNOWN)) if _knows(item, each)]:
            raise InputError(
                f"{title(item)}: Kubernetes {schema} has no {item['apiVersion']} {item['kind']}",
                line=line(("apiVersion",)),
                found=f"It is in {listed(others, 12)}",
                do="Write the apiVersion that this version has, or keep site.kubernetes at one that has it",
            ) from None
        # a custom resource: only its API server knows


def _knows(item: Object, schema: str) -> bool:
    import kubernetes_validate

    try:
        kubernetes_validate.validate(item, schema, strict=False)
    except kubernetes_validate.SchemaNotFoundError:
        return False
    except kubernetes_validate.ValidationError:
        return True
    return True


def _remedy(error: object, schema: str) -> str:
    """What to write where no field is misspelt."""
    wanted = getattr(error, "validator_value", None)
    if getattr(error, "validator", "") == "type":
        names = [FORMS[each] for each in ([wanted] if isinstance(wanted, str) else wanted or ()) if each in FORMS]
        if names:
            return f"Write {' or '.join(names)}"
    if getattr(error, "validator", "") == "required":
        return "Add it"
    return f"Write it as the API of Kubernetes {schema} has it"


def _suggestion(error: object) -> str:
    """For an unknown field: the known one that was probably meant."""
    schema = getattr(error, "schema", {})
    instance = getattr(error, "instance", {})
    known = list(schema.get("properties", {})) if isinstance(schema, dict) else []
    unknown = [key for key in instance if key not in known] if isinstance(instance, dict) and known else []
    meant = [f"{word} is probably meant to be {near}" for word in unknown if (near := nearest(word, known))]
    return "; ".join(meant)
