"""Kinds of objects that somebody publishes as one file of CustomResourceDefinitions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.downloads import fetch
from provision.resources.kubernetes.live import SCRIPTS, asking, kubectl_function, kubectl_words
from provision.resources.validation import check_name, check_sha256


@dataclass(frozen=True, kw_only=True)
class Definitions(Resource):
    """These kinds are in the cluster, at this version of their publisher or a newer one.

        Definitions(name="gateway-api", kinds=("httproutes.gateway.networking.k8s.io", …), version="1.6.3",
                    annotation="gateway.networking.k8s.io/bundle-version", url=…, sha256=…, kubectl=KUBECTL)

    A newer version stays, because an older definition drops fields of objects that exist. annotation: by which each
    kind tells its version. They are applied on the API server's side: for kubectl's own annotation a kind may be too
    large (262,144 bytes). They are never removed: with a kind go all its objects.
    """

    name: str
    kinds: tuple[str, ...]
    version: str
    annotation: str
    url: str
    sha256: str
    kubectl: str = field(repr=False)
    timeout: int = 120  # seconds to fetch the file

    def __post_init__(self) -> None:
        check_name("Definitions", "name", self.name, r"[a-z0-9][a-z0-9_-]*")
        check_sha256("Definitions", self.name, self.sha256)

    @property
    def key(self) -> str:
        return f"Definitions {self.name}"

    @property
    def _question(self) -> ShellQuestion:
        path = self.annotation.replace(".", r"\.")
        columns = f"custom-columns=N:.metadata.name,V:.metadata.annotations.{path}"
        get = ("get", "crd", *self.kinds, "--ignore-not-found", "--no-headers", "--request-timeout=10s", "-o", columns)
        return ShellQuestion(asking(("timeout", "20", *kubectl_words(self.kubectl, *get))))

    def questions(self) -> tuple[Question, ...]:
        return (self._question,)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        answer: ShellAnswer = answers[self._question]
        if answer.code != 0:
            return Unknown("the API server answers")
        live = dict(line.split() for line in answer.output.splitlines())
        missing = [kind for kind in self.kinds if kind not in live]
        older = {kind: live[kind] for kind in self.kinds if kind in live and _release(live[kind]) < self._wanted}
        if len(missing) == len(self.kinds):
            return Change(Action.CREATE, f"{len(missing)} kinds of version {self.version}")
        said = [f"create {', '.join(missing)}"] if missing else []
        said += [f"{', '.join(older)}: {', '.join(sorted(set(older.values())))} -> {self.version}"] if older else []
        return Change(Action.UPDATE, "; ".join(said)) if said else None

    @property
    def _wanted(self) -> tuple[int, ...]:
        return _release(self.version)

    def fix(self, change: Change) -> Step:
        fetched = fetch("/var/tmp/definitions", self.url, self.sha256, self.timeout)
        script = kubectl_function(self.kubectl) + fetched + SCRIPTS.call("define", *self.kinds)
        return Step(script, timeout=self.timeout + 120)


def _release(version: str) -> tuple[int, ...]:
    """'v1.6.3' is (1, 6, 3). What is no version counts as the oldest."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()
