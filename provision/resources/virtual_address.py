"""An address that several hosts share: held by one of them, and handed over before that one changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import Scripts, quote
from provision.resources.base import Action, Change, Unknown
from provision.resources.configset.drain import NOT_IN_USE, Drainer
from provision.resources.optional.dependent import clear_stamp, stamp_question, write_stamp
from provision.resources.optional.reversible import Reversible, Rollback

_SCRIPTS = Scripts(__file__)
_STAMP = "handed-over"  # the run that had this host give the address away; read by every later version
_GIVEN_AWAY = frozenset({"given away"})
WAITED = "nothing to undo: it was only waited for"
READY = ("MASTER", "BACKUP")
AWAIT = 30  # seconds that the hosts get to agree on who holds it


@dataclass(frozen=True, kw_only=True)
class VirtualAddress(Drainer, Reversible):
    """This host holds the address or stands by to take it, and some host holds it.

    host: this host's name, the only target that it can leave out of the address. handover: the file that keepalived
    tracks: anything but 0 gives the address away. state: the file in which it says what it is. wait: seconds that
    connections to the address get to end before it is given away, but for those to lasting_port, which never end: their
    clients connect anew. log: where a person finds why requests failed.
    """

    address: str
    host: str
    handover: str
    state: str
    wait: int
    lasting_port: int
    log: str

    @property
    def key(self) -> str:
        return f"VirtualAddress {self.address}"

    @property
    def drainable(self) -> frozenset[str]:
        return frozenset({self.host})

    @property
    def error_log(self) -> str:
        return self.log

    @property
    def entrance(self) -> str:
        return self.address

    def questions(self) -> tuple[Question, ...]:
        return (self._found, stamp_question(_STAMP))

    @property
    def _found(self) -> ShellQuestion:
        """Asks for: what keepalived is, what the tracked file says, 1 where the host has the address, and whoever holds
        it answers.
        """
        return ShellQuestion(self._script("address_state"))

    def _words(self, answers: Answers) -> tuple[str, str, str, str]:
        found: ShellAnswer = answers[self._found]
        state, handed, holds, answered = (*found.output.split(), "", "", "", "")[:4]
        return state, handed, holds, answered

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        state, handed, _, answered = self._words(answers)
        if answered != "1":
            waits = f"{self.address}: no host holds it; wait until one does"
            return Change(Action.UPDATE, waits, parts=NOT_IN_USE)
        if handed != "0" and not answers.get(stamp_question(_STAMP), ""):
            return Change(Action.UPDATE, f"{self.address}: given away, by no run; take part again", parts=_GIVEN_AWAY)
        if handed == "0" and state not in READY:
            return Change(Action.UPDATE, f"{self.address}: this host can't take it; wait until it can")
        return None

    def fix(self, change: Change) -> Step:
        script = self._script("address_await", SECONDS_ALLOWED=str(AWAIT))
        if change.parts == _GIVEN_AWAY:
            script = f"(\n{self._script('address_take_part', SECONDS_ALLOWED=str(AWAIT))}\n) || exit\n{script}"
        return Step(script, timeout=2 * AWAIT + 30)

    @property
    def rollback_summary(self) -> str:
        return WAITED

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback()

    def drained_now(self, answers: Answers) -> Mapping[str, str]:
        run = answers.get(stamp_question(_STAMP), "")
        return {self.host: run} if run and self._words(answers)[1] != "0" else {}

    def settled(self, answers: Answers) -> bool:
        return True  # to give an address away changes no file, and a host that can't hold it has to be mended

    def in_use(self, answers: Answers) -> bool:
        return self._words(answers)[3] == "1"

    def busiest(self, answers: Answers) -> frozenset[str]:
        return frozenset({self.host}) if self._words(answers)[2] == "1" else frozenset()

    def takes_over(self) -> str:
        return self._script("address_takes_over")

    def set_drained(self, drained: Mapping[str, str]) -> Step:
        if self.host in drained:
            record = write_stamp(_STAMP, drained[self.host])
            script = self._script("address_hand_over", WAIT=str(self.wait), LASTING=str(self.lasting_port))
            return Step(f"{record}(\n{script}\n) || {{ {clear_stamp(_STAMP)}exit 1; }}", timeout=self.wait + 60)
        script = self._script("address_take_part", SECONDS_ALLOWED=str(AWAIT))
        return Step(f"(\n{script}\n) || exit\n{clear_stamp(_STAMP)}", timeout=AWAIT + 30)

    def count_connections(self, address: str, port: int) -> str:
        return "echo 0"  # those that were open when the address went are cut: they had their time before

    def _script(self, name: str, **more: str) -> str:
        known = {"ADDRESS": self.address, "HANDOVER": self.handover, "STATE": self.state}
        return _SCRIPTS.text("address") + _SCRIPTS.call(name, **known, **more)


@dataclass(frozen=True, kw_only=True)
class AddressHeld(Reversible):
    """Some host holds an address, and HTTP is answered there. Asked before something is led to it.

    before: what is led there. do: what to do when nobody does.
    """

    address: str
    before: str
    do: str

    @property
    def key(self) -> str:
        return f"AddressHeld {self.address} before {self.before}"

    def questions(self) -> tuple[Question, ...]:
        return (self._held,)

    @property
    def _held(self) -> ShellQuestion:
        return ShellQuestion(f"{_SCRIPTS.text('address')}ADDRESS={quote(self.address)}\nanswers")

    def compare(self, answers: Answers, changed_dependencies: Sequence[str]) -> Change | Unknown | None:
        found: ShellAnswer = answers[self._held]
        if found.code == 0:
            return None
        return Change(Action.RUN, f"{self.address}: no host answers there; wait until one does")

    def fix(self, change: Change) -> Step:
        return Step(self._call("address_await_answer", SECONDS_ALLOWED=str(AWAIT), DO=self.do), timeout=AWAIT + 30)

    @property
    def rollback_summary(self) -> str:
        return WAITED

    def rollback(self, action: Action, snapshot: bytes) -> Rollback:
        return Rollback()

    def _call(self, name: str, **more: str) -> str:
        return _SCRIPTS.text("address") + _SCRIPTS.call(name, ADDRESS=self.address, **more)
