"""Hosts side by side: each keeps its own answer or error, and Ctrl-C cuts them all."""

from __future__ import annotations

import threading

import pytest

from provision.errors import FailedError
from provision.remote.pool import HostPool


class Target:
    """Something with a connection."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.was_cut = threading.Event()

    def cut(self) -> None:
        self.was_cut.set()


def test_an_error_stays_with_its_host() -> None:
    def work(target: Target) -> str:
        if target.name == "b":
            raise FailedError("b is broken")
        return target.name.upper()

    first, second, third = HostPool(2).for_each([Target(name) for name in "abc"], work)
    assert (first.value, third.value) == ("A", "C")
    assert (second.value, str(second.error), second.host.name) == (None, "b is broken.", "b")


def test_no_more_than_forks_hosts_are_worked_on_at_once() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def work(_: Target) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.02)
        with lock:
            now -= 1

    HostPool(2).for_each([Target(str(number)) for number in range(6)], work)
    assert most == 2


def test_ctrl_c_cuts_every_connection() -> None:
    targets = [Target("a"), Target("b")]

    def work(target: Target) -> None:
        if target.name == "a":
            raise KeyboardInterrupt
        assert target.was_cut.wait(5)

    with pytest.raises(KeyboardInterrupt):
        HostPool(2).for_each(targets, work)
    assert all(target.was_cut.is_set() for target in targets)


def test_no_host_is_no_work() -> None:
    assert HostPool(5).for_each([], lambda target: target) == []
