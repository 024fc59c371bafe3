"""The objects of Traefik 1.7's manifests as today's API and Traefik 3 need them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hdss7.ingress.documents import Document, How, Note, Say, mapping
from hdss7.ingress.ingresses import CLASS, CONTROLLER, migrate_annotations, migrate_ingress
from hdss7.ingress.rules import is_traefiks, migrate_rules
from hdss7.ingress.workloads import ingress_class, migrate_workload, traefik_container
from provision.resources.kubernetes.schema import REPLACED
from provision.resources.kubernetes.stream import Place

Object = dict[str, Any]
OWN_KINDS = "kubernetes-crd-definition-v1.yml"


def migrate(documents: Sequence[Document], version: str) -> tuple[list[Object], list[Note]]:
    """The objects that are applied instead, and what is to be said of the documents, line by line.

    version: of the Traefik 3 that they are for. Raises InputError for an object that can't be understood.
    """
    migration = _Migration(documents, version)
    for document in documents:
        migration.add(document)
    migration.complete()
    order = {document.source: index for index, document in reversed(list(enumerate(documents)))}
    notes = sorted(migration.notes, key=lambda note: _position(note, order))
    return [*(item for _, item in migration.items), *migration.more], notes


def _position(note: Note, order: dict[str, int]) -> tuple[int, int]:
    source, _, line = note.line.rpartition(":")
    return order[source], int(line)


class _Migration:
    def __init__(self, documents: Sequence[Document], version: str) -> None:
        self._version = version
        self._workloads = [each for each in documents if traefik_container(each.value)]
        self._class = next(filter(None, (ingress_class(each.value) for each in self._workloads)), "")
        self.items: list[tuple[Document, Object]] = []
        self.more: list[Object] = []
        self.notes: list[Note] = []

    def add(self, document: Document) -> None:
        """One document, as it is now."""
        item = deepcopy(dict(document.value))
        self.items.append((document, item))
        say = self._say(document)
        old, kind = item["apiVersion"], item["kind"]
        if new := _replaced(old, kind):
            item["apiVersion"] = new
            say(("apiVersion",), "changed", f"apiVersion {old} -> {new}")
        if kind in ("DaemonSet", "Deployment"):
            migrate_workload(document, item, self._version, say)
        elif kind in ("ClusterRole", "Role") and is_traefiks(item):
            for place, how, text in migrate_rules(item):
                say(place, how, text)
        elif kind == "Ingress":
            self.more += migrate_ingress(document, item, self._class, say)
            if not self._workloads and mapping(item.get("spec")).get("ingressClassName") == CLASS and new:
                say(("spec",), "todo", f"an IngressClass {CLASS} of controller {CONTROLLER} has to be there")
        elif kind == "Service":
            self.more += migrate_annotations(item, (), say)
        elif kind == "ConfigMap" and any("traefik" in str(name) for name in mapping(item.get("data"))):
            say(("data",), "lost", "a TOML file of 1.7 is not read: write what is in it as arguments")

    def _say(self, document: Document) -> Say:
        def say(place: Place, how: How, text: str) -> None:
            self.notes.append(Note(document.line(*place), document.title, how, text))

        return say

    def complete(self) -> None:
        """What all of them need together."""
        if self.more:
            self._own_kinds()
        if self._workloads and not any(item["kind"] == "IngressClass" for _, item in self.items):
            name = self._class or CLASS
            self.more.append(
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "IngressClass",
                    "metadata": {"name": name},
                    "spec": {"controller": CONTROLLER},
                }
            )
            self._say(self._workloads[0])((), "changed", f"an IngressClass {name} is added: Ingresses name it")

    def _own_kinds(self) -> None:
        """What Traefik wants for Middlewares: their definitions, a provider, and the right to read them."""
        for document, item in self.items:
            say = self._say(document)
            if found := traefik_container(item):
                place, container = found
                option = "--providers.kubernetescrd=true"
                if option not in container["args"]:
                    container["args"].append(option)
                    say((*place, "args"), "changed", f"{option} is added for Middlewares")
            elif item["kind"] in ("ClusterRole", "Role") and is_traefiks(item):
                for place, how, text in migrate_rules(item, middlewares=True):
                    say(place, how, text)
        document = next(document for document, item in self.items if item["kind"] in ("Ingress", "Service"))
        text = f"its Middlewares want Traefik's own kinds: apply {OWN_KINDS} of Traefik v{self._version} first"
        more = (
            "" if self._workloads else "; Traefik needs --providers.kubernetescrd=true and the right to read traefik.io"
        )
        self._say(document)((), "todo", text + more)


def _replaced(version: str, kind: str) -> str:
    """The apiVersion that took the place of one that is gone, or ''."""
    if (version, kind) in REPLACED:
        return REPLACED[version, kind][0]
    group, _, name = version.partition("/")
    return f"{group}/v1" if group == "rbac.authorization.k8s.io" and name != "v1" else ""
