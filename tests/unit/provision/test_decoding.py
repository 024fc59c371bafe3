"""Structs that many threads are the first to ask for: what crashes in msgspec itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

MANY = """
import sys, threading, msgspec
from typing import Annotated
from provision.decoding import convert, decode

sys.setswitchinterval(1e-6)

def first_asked_for_by_many(number):
    known = [(f"f{k}", Annotated[int, msgspec.Meta(ge=0)], 0) for k in range(30)]
    inner = msgspec.defstruct(f"Inner{number}", known)
    outer = msgspec.defstruct(f"Outer{number}", [(f"g{k}", dict[str, inner] | None, None) for k in range(30)])
    begin = threading.Barrier(8)

    def ask(thread):
        begin.wait()
        if thread % 2:
            convert({f"g{k}": {"a": {"f1": 1}} for k in range(30)}, outer)
        else:
            decode(b'{"g1": {"a": {"f2": 2}}, "g9": {}}', outer)

    threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

for number in range(150):
    first_asked_for_by_many(number)
print("alive")
"""


def test_threads_may_be_the_first_to_ask_for_a_struct() -> None:
    # in a process of its own: with msgspec's own functions it ends with a segmentation fault
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize("wrong", [b"{", b'{"a": "x"}'])
def test_what_is_not_of_the_type_is_refused(wrong: bytes) -> None:
    import msgspec

    from provision.decoding import decode

    with pytest.raises(msgspec.DecodeError):
        decode(wrong, dict[str, int])
