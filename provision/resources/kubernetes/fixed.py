"""Objects with a field that can't change any more once they are in the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.facts.question import Answers
from provision.resources.base import Change, Unknown
from provision.resources.fixed import Fixed
from provision.resources.kubernetes import diff
from provision.resources.kubernetes.diff import Object
from provision.resources.kubernetes.live import Unavailable
from provision.resources.kubernetes.manifests import Manifests


@dataclass(frozen=True)
class FixedField:
    """A setting that a live object shows. title: 'Service kube-system/coredns'; path: 'spec.ports.0.port'."""

    fixed: Fixed
    title: str
    path: str

    def value(self, item: Object | None) -> str:
        """What the object has there; '' where it has nothing, or is not there."""
        found: Any = item
        for key in self.path.split("."):
            try:
                found = found[int(key)] if key.isdigit() else found[key]
            except (KeyError, IndexError, TypeError):
                return ""
        return str(found)


@dataclass(frozen=True, kw_only=True)
class FixedManifests(Manifests):
    """Manifests that are refused while a live object has another value of a setting than the declared one.

    A journal records them as Manifests: a rollback puts back what was there, whatever the settings are by then.
    """

    fixed: tuple[FixedField, ...] = field(default=(), repr=False)

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        live = answers[self._question]
        if not isinstance(live, Unavailable):
            objects = {diff.title(item): item for item in live.values()}
            for each in self.fixed:
                each.fixed.refuse_other(each.value(objects.get(each.title)), each.title)
        return super().compare(answers, changed_dependencies)
