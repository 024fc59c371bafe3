"""Whether a Traefik takes an Ingress at all: its namespace, its labels and its class."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from urltrace.kubernetes.objects import Ingress, IngressClass
from urltrace.traefik.provider import Provider

CONTROLLER = "traefik.io/ingress-controller"
ANNOTATION = "kubernetes.io/ingress.class"
DEFAULT = "ingressclass.kubernetes.io/is-default-class"
Why = tuple[str, str]  # a sentence, and what to do


def why_not_processed(ingress: Ingress, classes: Sequence[IngressClass] | None, provider: Provider) -> Why | None:
    """Why this Traefik skips `ingress` without a word; None when it reads it. classes: None when not asked for."""
    namespace = ingress.metadata.namespace
    if provider.namespaces and namespace not in provider.namespaces:
        watched = ", ".join(provider.namespaces)
        return (
            f"it is in namespace {namespace}, and this Traefik watches {watched} only",
            f"Add it: --providers.kubernetesingress.namespaces={','.join((*provider.namespaces, namespace))}",
        )
    if provider.label_selector and not _selected(provider.label_selector, ingress.metadata.labels):
        return (
            f"its labels do not match {provider.label_selector!r}, which this Traefik selects by",
            f"Label it: kubectl -n {namespace} label ingress {ingress.metadata.name} …",
        )
    if ingress.spec.ingress_class_name is not None:
        return _why_class(ingress, ingress.spec.ingress_class_name, classes, provider)
    return _why_annotation(ingress, provider)


def with_default_class(ingress: Ingress, classes: Sequence[IngressClass]) -> Ingress:
    """The Ingress as the API server stores a new one: without a class it gets the cluster's default."""
    default = [one for one in classes if one.metadata.annotations.get(DEFAULT) == "true"]
    if not default or ingress.spec.ingress_class_name is not None or ANNOTATION in ingress.metadata.annotations:
        return ingress
    return replace(ingress, spec=replace(ingress.spec, ingress_class_name=default[0].metadata.name))


def _selected(selector: str, labels: dict[str, str]) -> bool:
    """Equality terms only; any other form counts as selected, so that nothing is blamed that is not understood."""
    for term in selector.split(","):
        key, sign, value = (part.strip() for part in term.replace("==", "=").partition("="))
        if "!" in key:
            if sign and labels.get(key.rstrip("! ")) == value:
                return False
        elif sign and " " not in key and labels.get(key) != value:
            return False
    return True


def _why_class(ingress: Ingress, name: str, classes: Sequence[IngressClass] | None, provider: Provider) -> Why | None:
    own = provider.ingress_class
    if not provider.cluster_scope:
        return (
            f"it names IngressClass {name}, and this Traefik was told not to read IngressClasses",
            f"Use the annotation {ANNOTATION}: {own or 'traefik'} instead of ingressClassName.",
        )
    if own and name != own:
        return f"its class is {name}, and this Traefik takes {own} only", _patch(ingress, own)
    if classes is None:
        return None
    held = next((one for one in classes if one.metadata.name == name), None)
    if held is None:
        known = [one.metadata.name for one in classes if one.spec.controller == CONTROLLER]
        return f"IngressClass {name} does not exist", _patch(ingress, known[0] if known else "traefik")
    if held.spec.controller != CONTROLLER:
        return (
            f"IngressClass {name} belongs to {held.spec.controller}, and not to {CONTROLLER}",
            f"Name a class of Traefik's, or make IngressClass {name} anew: its controller can't be changed.",
        )
    return None


def _why_annotation(ingress: Ingress, provider: Provider) -> Why | None:
    said, own = ingress.metadata.annotations.get(ANNOTATION, ""), provider.ingress_class
    if said == own or (not own and said == "traefik"):
        return None
    if said:
        return f"its annotation {ANNOTATION} says {said}, and this Traefik takes {own or 'traefik'}", _patch(
            ingress, own
        )
    return f"it has no class, and this Traefik takes {own} only", _patch(ingress, own)


def _patch(ingress: Ingress, name: str) -> str:
    where = f"kubectl -n {ingress.metadata.namespace} patch ingress {ingress.metadata.name}"
    return f'{where} --type merge -p \'{{"spec":{{"ingressClassName":"{name or "traefik"}"}}}}\''
