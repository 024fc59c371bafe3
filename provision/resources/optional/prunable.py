"""Prune: what nothing declares and what may be there all the same, looked for in every plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provision.resources.base import Resource


@dataclass(frozen=True, kw_only=True)
class Prunable(Resource):
    """A resource whose change removes something that nothing declares. Every plan lists it, only --prune makes it.

    removable: False for what is listed alone, because nobody but a person can say that it may go.
    """

    removable: ClassVar[bool] = True
