"""The step talk, with a real shell at the other end."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.remote.protocol import HEARTBEAT, Reader, Step, StepResult, frame, hello, loader

TOKEN = "provision-0123456789abcdef"


def talk(steps: Sequence[Step], *, password: str | None = None, shell: str = "sh") -> tuple[list[StepResult], bytes]:
    """Runs the loader and sends it the steps; every result, and what arrived beyond them."""
    data = hello(TOKEN, password) + b"".join(part for step in steps for part in frame(step))
    run = subprocess.run([shell, "-c", loader(None)], input=data, capture_output=True, timeout=60, check=False)
    reader = Reader(TOKEN)
    reader.feed(run.stdout)
    assert reader.ready(), run
    results = []
    while (result := reader.result()) is not None:
        results.append(result)
    return results, reader.pending


def test_a_step_returns_its_output_its_errors_and_its_code() -> None:
    results, rest = talk([Step("echo out; echo oops >&2; exit 3")])
    assert results == [StepResult(3, "out\n", "oops")]
    assert rest == b""


def test_a_payload_reaches_the_script_whole() -> None:
    results, _ = talk(
        [Step("sha256sum", b"\0\xff\n" * 100_000), Step("exit 1", b"unread" * 100_000), Step("cat; echo end")]
    )
    assert [r.code for r in results] == [0, 1, 0]
    assert results[2].output == "end\n"


def test_a_payload_file_is_streamed(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * 3_000_000)
    results, _ = talk([Step("wc -c", big)])
    assert results[0].output.strip() == "3000000"


def test_a_script_may_be_longer_than_one_argument_may_be() -> None:
    script = "\n".join(f": {'y' * 100} {n}" for n in range(4000)) + "\necho done"
    assert len(script) > 400_000
    results, _ = talk([Step(script)])
    assert results[0].output == "done\n"


def test_a_step_that_takes_too_long_is_ended_and_the_next_one_runs() -> None:
    results, _ = talk([Step("sleep 30", timeout=0.2), Step("echo next")])
    assert results[0].timed_out
    assert results[1].output == "next\n"


def test_a_banner_and_an_unused_sudo_password_are_no_steps() -> None:
    results, _ = talk([Step("echo fine")], password="not asked for")
    assert results == [StepResult(0, "fine\n", "")]


def test_nothing_is_left_behind_on_the_host() -> None:
    before = set(Path("/run").glob("provision.*")) | set(Path("/tmp").glob("provision.*"))
    talk([Step("true")])
    assert set(Path("/run").glob("provision.*")) | set(Path("/tmp").glob("provision.*")) == before


def cut_talk(data: bytes) -> None:
    """Sends what arrived before the line was cut; nobody reads any more."""
    run = subprocess.Popen(["sh", "-c", loader(None)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.stdin
    assert run.stdout
    run.stdin.write(data)
    run.stdin.close()
    run.stdout.close()  # whoever reads is gone: writing gives EPIPE
    run.wait(timeout=20)


@pytest.mark.parametrize("missing", [1, 3, 6, 12])
def test_a_cut_session_finishes_its_step_and_starts_none(tmp_path: Path, missing: int) -> None:
    mark = tmp_path / "finished"
    first, second = Step(f"sleep 0.3; echo a lot of output; touch {mark}"), Step(f"touch {tmp_path}/never")
    cut_talk(hello(TOKEN, None) + b"".join(frame(first)) + b"".join(frame(second))[: -len("end\n") - missing])
    assert [path.name for path in tmp_path.iterdir()] == ["finished"]


@pytest.mark.parametrize("missing", [1, 5, 99_999, 100_004])
def test_half_a_payload_is_never_taken_for_the_whole(tmp_path: Path, missing: int) -> None:
    step = Step(f"cat >{tmp_path}/half && mv {tmp_path}/half {tmp_path}/whole", b"x" * 100_000)
    cut_talk(hello(TOKEN, None) + b"".join(frame(step))[:-missing])
    assert not (tmp_path / "whole").exists()


def test_a_loader_that_was_told_to_ends_when_it_hears_nothing(tmp_path: Path) -> None:
    run = subprocess.Popen(["sh", "-c", loader(None)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.stdin
    run.stdin.write(hello(TOKEN, None) + b"".join(frame(Step("sleep 0.5"), 0.4)))
    run.stdin.flush()
    for _ in range(8):
        time.sleep(0.2)
        run.stdin.write(HEARTBEAT)
        run.stdin.flush()
    assert run.poll() is None
    run.stdin.write(b"".join(frame(Step(f"touch {tmp_path}/heard"), 0.4, awaited=True)))
    run.stdin.flush()
    run.wait(timeout=10)  # its standard input is still open
    assert (tmp_path / "heard").exists()


@pytest.mark.parametrize("pieces", [1, 2, 7, 64])
def test_results_are_found_however_the_stream_is_cut(pieces: int) -> None:
    stream = f"motd\n{TOKEN} ready\nfirst\n\n{TOKEN} 0 0\n\n{TOKEN} 7 4\nooh\n".encode()
    reader, results, ready = Reader(TOKEN), [], False
    for start in range(0, len(stream), pieces):
        reader.feed(stream[start : start + pieces])
        ready = ready or reader.ready()
        while ready and (result := reader.result()):
            results.append(result)
    assert results == [StepResult(0, "first\n", ""), StepResult(7, "", "ooh")]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=200), st.binary(max_size=200))
def test_any_text_and_any_bytes_survive_the_frame(text: str, payload: bytes) -> None:
    head, _, rest = b"".join(frame(Step(text, payload))).partition(b"\n")
    _, script, size = head.split()
    written, line = int(script), text.removesuffix("\n")
    assert (written == 0) == ("\n" not in line)
    carried = text.encode() if written else f"{line}\n".encode()
    assert rest == carried + b"end\n" + payload + b"end\n"
    assert int(size) == len(payload)
    assert written in (0, len(carried))
