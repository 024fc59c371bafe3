"""Kubernetes objects, applied by kubectl on a control-plane host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from provision.errors import UnsupportedError
from provision.facts.host import ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import words
from provision.resources.base import Action, Change, Rendering, Resource, Unknown
from provision.resources.content import Content, Rendered, Template
from provision.resources.kubernetes import diff
from provision.resources.kubernetes.diff import Object
from provision.resources.kubernetes.live import GET, SCRIPTS, ObjectsQuestion, Unavailable, kubectl_words
from provision.resources.optional.explainable import Explainable, unified
from provision.resources.optional.removable import PART, Removable
from provision.resources.optional.reversible import Reversible, Rollback
from provision.resources.optional.sensitive import Sensitive
from provision.resources.validation import check_name
from provision.secret import Redactor, Secret

OLDEST = (1, 22)  # the first that no longer knows the beta Ingress; Traefik 3 wants EndpointSlices of version v1 (1.21)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class _Differing:
    """One object that is not as declared. grown: a list on it differs."""

    item: Object
    summary: str
    diff: str
    grown: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifests(Reversible, Removable, Explainable, Sensitive):
    """A set of objects that belongs together.

        Manifests(name="traefik", content=Template("traefik/traefik.yaml.j2"), kubectl=KUBECTL)

    kubectl: the command with its kubeconfig. after: what has to be there before the API can be asked, as the plan
    prints it. Equal means that every declared field is so on the live object; what an earlier apply declared and this
    one does not is removed. version: the API server's, by whose schemas the objects are judged; '' is the newest.
    absent: the objects must not be there; then apiVersion, kind and name say enough.
    secret: what they hold never shows in a diff; that of a Secret never does.
    """

    name: str
    content: Content | Rendered
    kubectl: str
    version: str = ""
    absent: bool = False
    secret: bool = False
    after: str = "the API server answers"
    objects: tuple[Object, ...] = field(default=(), repr=False, hash=False)
    secret_fields: ClassVar[frozenset[str]] = frozenset({"content", "objects"})
    diff_at_once: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_name("Manifests", "name", self.name, rf"[a-z0-9][a-z0-9_-]*({PART}[a-z0-9.:-]+)?")

    @property
    def key(self) -> str:
        return f"Manifests {self.name}"

    def rendered(self, rendering: Rendering) -> Manifests:
        from provision.resources.kubernetes.schema import check_objects

        made, source = self.content, self.key
        if isinstance(self.content, Template):
            made, source = rendering.template(self.content), f"templates/{self.content.source}"
        elif isinstance(self.content, Rendered):
            made, source = self.content.text, self.content.source
        text = str(made)
        objects = diff.parse(text, source)
        if not self.absent:
            check_objects(objects, source, self.version)
        return replace(self, content=text, objects=objects, secret=self.secret or isinstance(made, Secret))

    def protected(self, redactor: Redactor) -> Self:
        return replace(self, secret=True) if not self.secret and redactor.finds(str(self.content)) else self

    @property
    def _question(self) -> ObjectsQuestion:
        return ObjectsQuestion(self.kubectl, "\n".join(json.dumps(_name_only(item)) for item in self.objects))

    def questions(self) -> tuple[Question, ...]:
        return (self._question,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live = answers[self._question]
        if isinstance(live, Unavailable):
            return Unknown(self.after)
        if self.absent:
            left = [diff.title(item) for item in self.objects if {diff.identity(item), diff.place(item)} & live.keys()]
            return Change(Action.REMOVE, f"remove {', '.join(left)}") if left else None
        differing = tuple(self._differing(live))
        if not differing:
            return None
        created = all(each.summary.startswith("create ") for each in differing)
        action = Action.CREATE if created else Action.UPDATE
        grown = frozenset(diff.title(each.item) for each in differing if each.grown)
        summary = "; ".join(each.summary for each in differing)
        return Change(action, summary, diff="\n".join(each.diff for each in differing), parts=grown)

    @property
    def _version(self) -> ShellQuestion:
        return ShellQuestion(words(kubectl_words(self.kubectl, "get", "--raw", "/version", "--request-timeout=10s")))

    def evidence(self, change: Change) -> tuple[Question, ...]:
        return (self._version,)

    def explain(self, change: Change, answers: Answers) -> Change:
        check_version(answers[self._version].output)
        if change.action is Action.REMOVE:
            return change
        shown = (
            f"({diff.title(each.item)}: secret, not shown)"
            if self.secret or each.item["kind"] == "Secret"
            else each.diff
            for each in self._differing(answers[self._question])
        )
        return replace(change, diff="\n".join(shown))

    def _differing(self, live: Mapping[tuple[str, str, str], Object]) -> Iterator[_Differing]:
        for item in self.objects:
            title = diff.title(item)
            actual = live.get(diff.identity(item)) or live.get(diff.place(item))
            if actual is None:
                yield _Differing(item, f"create {title}", unified("", _yaml(item), title))
            elif found := diff.differences(item, actual):
                before = {path: pair[0] for path, pair in found.items()}
                after = {path: pair[1] for path, pair in found.items()}
                shown = unified(_yaml(before), _yaml(after), title)
                grown = any(isinstance(was, list) for was, _ in found.values())
                yield _Differing(item, f"{title}: {', '.join(found)}", shown, grown)

    @property
    def rollback_summary(self) -> str:
        return "the objects as they were applied before"

    @property
    def _kept(self) -> tuple[Object, ...]:
        """What a host may record: no Secret."""
        return () if self.secret else tuple(item for item in self.objects if item["kind"] != "Secret")

    @property
    def contents(self) -> tuple[bytes, ...]:
        return (_stream(self.objects),)

    @property
    def without_contents(self) -> Self:
        return replace(self, content="", objects=tuple(_name_only(item) for item in self.objects))

    def snapshot_script(self, change: Change) -> str:
        names = "\n---\n".join(json.dumps(_name_only(item)) for item in self._kept)
        return SCRIPTS.call("feed", *kubectl_words(self.kubectl, *GET), MANIFESTS=names) if names else ":"

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        live = json.loads(snapshot) if snapshot.strip() else {}
        annotations = [item["metadata"].get("annotations", {}) for item in live.get("items", [live] if live else [])]
        before = [json.loads(each[_APPLIED]) for each in annotations if _APPLIED in each]
        were = {diff.place(item) for item in before}
        new = [item for item in self._kept if diff.place(item) not in were]
        found: list[Resource] = []
        if before:
            found.append(replace(self, content=_stream(before).decode(), objects=tuple(before), absent=False))
        if new:
            gone = replace(
                self, name=f"{self.name}-new", content=_stream(new).decode(), objects=tuple(new), absent=True
            )
            found.append(gone)
        secrets = len(self.objects) - len(self._kept)
        return Rollback(tuple(found), f"{self.key}: its Secrets are not kept" if secrets else "")

    @property
    def removal(self) -> Resource | None:
        return None if self.absent else replace(self, absent=True)

    @property
    def parts(self) -> tuple[Removable, ...]:
        """Each object, as a set of its own."""
        if PART in self.name:
            return ()
        return tuple(
            replace(self, name=f"{self.name}{PART}{'.'.join(diff.place(item)).lower()}", content="", objects=(item,))
            for item in self.objects
        )

    def fix(self, change: Change) -> Step:
        every = _stream(self.objects)
        if change.action is Action.REMOVE:
            delete = words(kubectl_words(self.kubectl, "delete", "--ignore-not-found", "--wait=true", "-f", "-"))
            return Step(f"{delete} >&2", every, timeout=120)
        # an apply merges lists by key, so it keeps what somebody added to one: those objects are replaced whole
        whole = _stream([item for item in self.objects if diff.title(item) in change.parts])
        script = SCRIPTS.call(
            "apply",
            *kubectl_words(self.kubectl),
            SIZE=str(len(every)),
            DRY_RUN="" if self._opens_room else "yes",
            WHOLE="yes" if whole else "",
        )
        return Step(script, every + whole, timeout=120)

    @property
    def _opens_room(self) -> bool:
        """Whether some of it can't be validated yet: what is in a new namespace, or of a new kind."""
        return any(item["kind"] in ("Namespace", "CustomResourceDefinition") for item in self.objects)


def check_version(version: str) -> None:
    """Raises UnsupportedError for an API server, by what it says at /version, that is too old for what is declared.

    One that says nothing of the kind is left to kubectl.
    """
    match = re.search(r'"gitVersion": *"v(\d+)\.(\d+)[^"]*"', version)
    if match and (int(match[1]), int(match[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UnsupportedError(
            "this cluster is too old: nothing was changed",
            found=f"Its API server is v{match[1]}.{match[2]}",
            do=f"Bring Kubernetes to {oldest} or newer, or leave out what belongs into the cluster (--skip-tags)",
        )


def _stream(objects: Sequence[Object]) -> bytes:
    return "\n---\n".join(json.dumps(item) for item in objects).encode()


def _name_only(item: Object) -> dict[str, Any]:
    """What `kubectl get` needs to find an object."""
    metadata = {key: item["metadata"][key] for key in ("name", "namespace") if key in item["metadata"]}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}


def _yaml(value: Any) -> str:
    import yaml

    return yaml.safe_dump(json.loads(json.dumps(value)), sort_keys=False)
