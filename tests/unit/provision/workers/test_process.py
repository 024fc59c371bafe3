"""A process of this machine as an executor: many functions at a time, and its end is known to all who wait."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from provision.workers.process import ProcessExecutor, ProcessGoneError


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    made = ProcessExecutor(4)
    yield made
    made.shutdown()


def test_functions_run_in_one_other_process(executor: ProcessExecutor) -> None:
    assert {executor.submit(os.getpid).result(20) for _ in range(5)} == {executor.pid} != {os.getpid()}


def test_functions_run_side_by_side(executor: ProcessExecutor) -> None:
    slow = executor.submit(time.sleep, 30)
    assert executor.submit(os.getpid).result(20)
    assert not slow.done()
    os.kill(executor.pid, signal.SIGKILL)


def test_what_a_function_raises_is_raised_here(executor: ProcessExecutor) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        executor.submit(int, "x").result(20)


def test_who_waits_for_a_killed_process_is_told(executor: ProcessExecutor) -> None:
    waiting = executor.submit(time.sleep, 60)
    os.kill(executor.pid, signal.SIGKILL)
    with pytest.raises(ProcessGoneError, match="ended with -9"):
        waiting.result(20)


def test_a_process_that_is_shut_down_has_ended() -> None:
    executor = ProcessExecutor(1)
    before = threading.active_count()
    executor.shutdown()
    with pytest.raises(ProcessLookupError):
        os.kill(executor.pid, 0)
    assert threading.active_count() <= before
