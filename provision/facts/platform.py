"""What a host runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from provision.facts.question import Question
from provision.remote.shell import Scripts


@dataclass(frozen=True)
class Platform:
    """What the host runs: `system` and `version` as in /etc/os-release, and whether apt and systemd are there."""

    system: str
    version: str
    name: str
    machine: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class PlatformQuestion(Question):
    """What the host runs; asked once of every host, so that anything else is refused before it is changed."""

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return Scripts(__file__).call("platform")

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, Platform]:
        machine, *lines = output.strip().splitlines() or [""]
        pairs = [line.split("=", 1) for line in lines if "=" in line]
        fields = {key: value.strip('"') for key, value in pairs}
        missing = tuple(value for key, value in pairs if key == "missing")
        return {
            q: Platform(
                fields.get("ID", ""), fields.get("VERSION_ID", ""), fields.get("PRETTY_NAME", ""), machine, missing
            )
            for q in questions
        }
