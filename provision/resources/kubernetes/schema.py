"""Manifests against the API's schemas, offline, before anything is sent. Verdicts are cached by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from provision.errors import InputError
from provision.folders import cache_folder
from provision.resources.kubernetes.diff import Object, title
from provision.spelling import nearest

SCHEMA_VERSION = "1.34"

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


def check_objects(objects: Sequence[Object], source: str) -> None:
    """Raises InputError for an object that the API server of SCHEMA_VERSION would refuse or silently cut down."""
    for item in objects:
        replaced = REPLACED.get((item["apiVersion"], item["kind"]))
        if replaced:
            raise InputError(
                f"{title(item)}: {item['apiVersion']} {item['kind']} is gone since Kubernetes {replaced[1]}",
                line=source,
                do=f"Write apiVersion: {replaced[0]} and its present form",
            )
    text = json.dumps(objects, sort_keys=True)
    verdict = cache_folder("schemas") / hashlib.sha256(f"{SCHEMA_VERSION} {text}".encode()).hexdigest()
    if verdict.exists():
        return
    for item in objects:
        _validate(item, source)
    verdict.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    verdict.touch()


def _validate(item: Object, source: str) -> None:
    import kubernetes_validate

    try:
        kubernetes_validate.validate(item, SCHEMA_VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        path = ".".join(str(part) for part in error.path)
        raise InputError(
            f"{title(item)}: the API would not take {path or 'it'}",
            line=source,
            found=error.message,
            do=_suggestion(error),
        ) from None
    except kubernetes_validate.SchemaNotFoundError:
        return  # a custom resource: only its API server knows


def _suggestion(error: object) -> str:
    """For an unknown field: the known one that was probably meant."""
    schema = getattr(error, "schema", {})
    instance = getattr(error, "instance", {})
    known = list(schema.get("properties", {})) if isinstance(schema, dict) else []
    unknown = [key for key in instance if key not in known] if isinstance(instance, dict) and known else []
    meant = [f"{word} is probably meant to be {near}" for word in unknown if (near := nearest(word, known))]
    return "; ".join(meant)
