"""The scripts that swap a set on its host: sh/swap.sh, given the program that reads the set, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.facts.question import STAMPS
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, function
from provision.resources.configset.activation import Activation
from provision.resources.optional.dependent import write_stamp

RELEASES_KEPT = 3
_SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class Swap:
    """Where a set lies, which program reads it, and which stamp says what runs.

    confirm: seconds within which the new set has to be confirmed, or the host goes back by itself; 0: it stays.
    """

    directory: str
    stamp: str
    activation: Activation
    confirm: float = 0.0

    def step(self, contents: Mapping[str, bytes], digest: str, record: str = "") -> Step:
        """The step that makes these files (name -> content) the set in use. record: sh that runs once it is.

        The digest is stamped unless the set waits to be confirmed: then the next run activates it again.
        """
        sizes = [text for name, content in contents.items() for text in (str(len(content)), name)]
        settle = record if self.confirm else write_stamp(self.stamp, digest) + record
        script = (
            _SCRIPTS.text("links")
            + function("complete_set", self.activation.complete())
            + function("validate_set", self.activation.validate())
            + function("activate_set", self.activation.activate())
            + function("settle", settle or ":")
            + _SCRIPTS.call(
                "swap",
                *sizes,
                DIRECTORY=self.directory,
                STAMP=self._stamp_file,
                RELEASES=str(RELEASES_KEPT),
                CONFIRM=f"{self.confirm:g}" if self.confirm else "",
                REVERT=self._revert() if self.confirm else "",
                REVERT_FILE=self._revert_file,
            )
        )
        return Step(script, b"".join(contents.values()), timeout=120)

    def confirm_step(self, digest: str) -> Step:
        """The step that confirms the set in time, and fails when the host has gone back already."""
        confirm = _SCRIPTS.call("confirm", REVERT_FILE=self._revert_file, CONFIRM=f"{self.confirm:g}")
        return Step(confirm + write_stamp(self.stamp, digest), timeout=20)

    @property
    def _stamp_file(self) -> str:
        return f"{STAMPS}/{self.stamp}"

    @property
    def _revert_file(self) -> str:
        """Where the script lies that puts the previous set back, until the new one is confirmed."""
        return f"/run/provision.{self.stamp}.back"

    def _revert(self) -> str:
        return (
            _SCRIPTS.text("links")
            + function("activate_set", self.activation.activate())
            + _SCRIPTS.call("revert", DIRECTORY=self.directory, STAMP=self._stamp_file, REVERT_FILE=self._revert_file)
        )
