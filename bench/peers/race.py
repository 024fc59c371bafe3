"""The race itself: everyone is set up, then each does each action once a round, in turn."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TypeVar

from bench.clock import ROOT, Sample
from bench.peers.contestant import Contestant
from bench.peers.floors import Floor, standing
from bench.peers.hosts import Ready, changed, expected_change, wrong
from bench.peers.processes import SHOWN, timed
from bench.peers.workload import Action
from provision.errors import FailedError

T = TypeVar("T")
CHANGES_NOTHING = (Action.NO_OP, Action.CHECK)


class Race:
    """Contestants, floors and hosts. environment: what everyone finds on the controller."""

    def __init__(
        self,
        ready: Ready,
        contestants: Sequence[Contestant],
        floors: Sequence[Floor],
        environment: Mapping[str, str],
    ) -> None:
        self.contestants = list(contestants)
        self.samples: dict[str, dict[Action, list[Sample]]] = {
            each.name: {a: [] for a in Action} for each in contestants
        }
        self.floors: dict[str, list[Sample]] = {floor.title: [] for floor in floors}
        self.sessions: dict[str, tuple[int, int]] = {}
        self.absent: list[str] = []
        self._ready = ready
        self._all_floors = floors
        self.environment = environment
        self._answers = dict.fromkeys(self.samples, "at-first")

    def set_up(self) -> None:
        """Everyone makes the hosts as declared, untimed, and then has a no-op whose sessions are counted.

        Who can't is left out, and said to be. Raises FailedError when that is this toolkit.
        """
        for contestant in tuple(self.contestants):
            try:
                self._set_up(contestant)
            except FailedError as error:
                if contestant.ours:
                    raise
                self.contestants.remove(contestant)
                self.absent.append(f"{contestant.title} took no part: it did not make these hosts as declared.")
                _say(f"{contestant.title} takes no part: {error}")
            else:
                _say(f"{contestant.title}: set up")
        for floor in self._all_floors:
            self._floor(floor)

    def round(self, number: int) -> None:
        """Each action of everyone, once; another one begins in each round."""
        for action in Action:
            for contestant in _turned(self.contestants, number):
                if action is Action.CHANGE:
                    self._answers[contestant.name] = f"round-{number}"
                sample = self._once(contestant, action)
                self.samples[contestant.name][action].append(sample)
                _say(f"round {number}: {contestant.title}, {action.value}: {sample.wall:.2f} s")
            if action is Action.NO_OP:
                for floor in _turned(self._all_floors, number):
                    self.floors[floor.title].append(self._floor(floor))

    def _set_up(self, contestant: Contestant) -> None:
        self._once(contestant, Action.COLD)
        self._ready.settle()
        before = self._ready.sessions()
        self._once(contestant, Action.NO_OP)
        after = self._ready.sessions()
        self.sessions[contestant.name] = (after[0] - before[0], after[1] - before[1])

    def _once(self, contestant: Contestant, action: Action) -> Sample:
        """One run, after which exactly that has changed on the hosts which had to. Raises FailedError otherwise."""
        self._ready.turn(contestant)
        before = self._ready.fingerprint(contestant.name)
        if action is Action.COLD and any(before.values()):
            self._ready.remove_files(contestant.name)
        answer = self._answers[contestant.name]
        argv = contestant.command(action, answer)
        sample = timed(argv, contestant.folder, {**self.environment, **contestant.environment})
        after = self._ready.fingerprint(contestant.name)
        found = wrong(after, answer)
        if not found and action in CHANGES_NOTHING and changed(before, after):
            found = f"it made {', '.join(sorted(changed(before, after)))} anew"
        if not found and action is Action.CHANGE and changed(before, after) != expected_change():
            found = f"it made {', '.join(sorted(changed(before, after)))} anew"
        if found:
            raise FailedError(f"{contestant.title}, {action.value}: {found}", found=sample.output[-SHOWN:].strip())
        return sample

    def _floor(self, floor: Floor) -> Sample:
        with standing(floor, self.environment) if floor.masters else nullcontext():
            return timed(floor.command, ROOT, self.environment)


def _turned(everyone: Sequence[T], number: int) -> Sequence[T]:
    first = number % len(everyone)
    return [*everyone[first:], *everyone[:first]]


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
