"""What stands in a cluster of the objects that are declared: asked by one `kubectl get` a host."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from provision.facts.question import Question
from provision.remote.shell import Scripts, function, words

GET = ("get", "-f", "-", "--ignore-not-found", "-o", "json", "--request-timeout=10s")
TIMED_OUT = 124  # what timeout(1) ends with
SCRIPTS = Scripts(__file__)


def kubectl_words(kubectl: str, *arguments: str) -> tuple[str, ...]:
    """A kubectl command as words. kubectl: the program with its kubeconfig, as it is typed."""
    return (*shlex.split(kubectl), *arguments)


def kubectl_function(kubectl: str, *arguments: str) -> str:
    """sh that defines `k`, kubectl with these arguments before its own."""
    return function("k", f'{words(kubectl_words(kubectl, *arguments))} "$@"')


def asking(command: Sequence[str], manifests: str = "") -> str:
    """sh that prints what a kubectl command answers, and what it says beside that (warnings, groups of the API that are
    not served just now) only when it fails."""
    return SCRIPTS.call("ask_api", *command, MANIFESTS=manifests)


@dataclass(frozen=True)
class Unavailable:
    """The API server could not be asked; `reason` is kubectl's own last line."""

    reason: str


@dataclass(frozen=True)
class ObjectsQuestion(Question):
    """The live state of Kubernetes objects, all of a host's sets in one `kubectl get`.

    `manifests` is JSON, one object a line. The answer maps (kind, namespace, name) to the live object, or is
    Unavailable.
    """

    slow: ClassVar[bool] = True
    kubectl: str
    manifests: str
    timeout: ClassVar[int] = 20  # seconds for all objects: --request-timeout counts for each of them anew

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        documents = "\n---\n".join(line for q in questions for line in q.manifests.splitlines())
        return asking(("timeout", str(cls.timeout), *kubectl_words(questions[0].kubectl, *GET)), documents)

    @classmethod
    def read(
        cls, questions: Sequence[Self], output: str, code: int
    ) -> Mapping[Self, Mapping[tuple[str, str, str], Any] | Unavailable]:
        if code == TIMED_OUT:
            return {q: Unavailable(f"no answer within {cls.timeout} s") for q in questions}
        if code != 0:
            reason = output.strip().splitlines()[-1:] or ["kubectl failed"]
            return {q: Unavailable(reason[0]) for q in questions}
        document = json.loads(output) if output.strip() else {}
        items = document.get("items", [document] if document else [])
        live = {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item for item in items}
        return dict.fromkeys(questions, live)
