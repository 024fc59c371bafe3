"""What every kind of Kubernetes' objects has."""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, frozen=True, rename="camel"):
    """Fields in the API's own spelling; unknown ones are skipped."""


class Owner(Struct, frozen=True):
    kind: str = ""
    name: str = ""


class Metadata(Struct, frozen=True):
    name: str = ""
    namespace: str = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[Owner, ...] = ()


class Object(Struct, frozen=True):
    """What every kind has. key: 'namespace/name'."""

    metadata: Metadata = Metadata()

    @property
    def key(self) -> str:
        return f"{self.metadata.namespace}/{self.metadata.name}"
