"""The conversation that one SSH exec carries: framed steps out, framed results back.

A host is driven over a single exec for the whole run. Its command line is a fixed, short loader; everything else
travels on standard input as frames: `TIMEOUT SCRIPT_BYTES PAYLOAD_BYTES [IDLE_TIMEOUT]`, then the script, then the
payload that the script reads on its own standard input, each followed by `end`. A script of one short line follows as
that line, and SCRIPT_BYTES is 0: the host's shell reads it by itself. Two traps decide this form: dash reads ahead and
would eat a payload that follows a script on the same stdin, and one argument over 128 KiB is refused with E2BIG (both
tried).

Between two steps the host waits for the next frame. That is where a run may stop: a cut line or an interrupted
controller lets the step that runs finish and starts no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from provision.remote.shell import Scripts, quote, without_comments

CHUNK = 1 << 16
STDERR_KEPT = 16_384
LONGEST_LINE = 2048  # bytes; a frame with such a line arrives whole or not at all, by SSH and through a pipe
_WHOLE = b"end\n"  # follows script and payload: what ends without it was cut

# A frame may carry an idle timeout in seconds. From then on descriptor 9 is open (a step can take the host's lock on
# it, which every process of this exec then shares) and the loader ends when nothing arrives for that long.
_LOADER = without_comments(Scripts(__file__).text("loader"))


@dataclass(frozen=True)
class Step:
    """One script to run on a host. `payload`: bytes, or a file that is streamed; `timeout` in seconds.

    asks: it changes nothing, so it may be run once more where nobody knows whether it ran. brief: it has no payload and
    ends at once, so it may share a frame with its like.
    """

    script: str
    payload: bytes | Path = b""
    timeout: float = 60.0
    asks: bool = False
    brief: bool = False

    @property
    def payload_size(self) -> int:
        """Bytes that follow the script."""
        return self.payload.stat().st_size if isinstance(self.payload, Path) else len(self.payload)


@dataclass(frozen=True)
class StepResult:
    """What a step returned. `code` 124 or 137: it ran into its timeout."""

    code: int
    output: str
    errors: str = field(default="")

    @property
    def timed_out(self) -> bool:
        """Whether `timeout` ended the step (its code 124, or 137 when SIGKILL was needed)."""
        return self.code in (124, 137)


def loader(become_user: str | None) -> str:
    """The command line of the exec. `become_user` None: run as the login user; else through sudo."""
    shell = f"sh -c {quote(_LOADER)}"
    if become_user is None:
        return shell
    # -k: never a cached credential, so that the password line is read or not, always the same way
    return f"sudo -k -S -p '' -u {quote(become_user)} -- {shell}"


def hello(token: str, password: str | None) -> bytes:
    """The first bytes on standard input: sudo's password line, if any, then the line that opens the talk.

    The loader skips lines until it sees the token: where sudo asked for nothing, the password is such a line. Two
    empty lines are the second and third try of a sudo that refused the first: it gives up at once.
    """
    secret = f"{password}\n\n\n" if password is not None else ""
    return f"{secret}{token}\n".encode()


HEARTBEAT = b"."  # for a loader with an idle timeout
FRAME_FOLLOWS = b"+"


def frame(step: Step, idle_timeout: float | None = None, *, awaited: bool = False) -> Iterator[bytes]:
    """The bytes of one step, in chunks; a payload file is never read whole.

    idle_timeout: seconds of silence after this step that end the loader; None: it waits for ever. awaited: the step
    before had one, so the loader expects heartbeats.
    """
    script = step.script.encode("utf-8", "surrogateescape")
    size = len(script)
    line = script.removesuffix(b"\n")
    if len(line) <= LONGEST_LINE and b"\n" not in line and b"\0" not in line:
        script, size = line + b"\n", 0
    limit = "" if idle_timeout is None else f" {idle_timeout:g}"
    head = f"{step.timeout:g} {size} {step.payload_size}{limit}\n".encode()
    yield (FRAME_FOLLOWS if awaited else b"") + head + script + _WHOLE
    if isinstance(step.payload, Path):
        with step.payload.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk
    elif step.payload:
        yield step.payload
    yield _WHOLE


class Reader:
    """Finds the end of each step's output in the stream that comes back."""

    def __init__(self, token: str) -> None:
        self._trailer = re.compile(rb"\n" + re.escape(token.encode()) + rb" (\d+) (\d+)\n")
        self._ready = re.compile(re.escape(token.encode()) + rb" ready\n")
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._buffer += data

    @property
    def pending(self) -> bytes:
        """What arrived and belongs to no finished step: the evidence when a talk breaks off."""
        return bytes(self._buffer)

    def ready(self) -> bool:
        """Whether the loader has answered; everything before its answer (a banner) is dropped."""
        match = self._ready.search(self._buffer)
        if match is None:
            return False
        del self._buffer[: match.end()]
        return True

    def result(self) -> StepResult | None:
        """The finished step, once all of it has arrived."""
        match = self._trailer.search(self._buffer, max(0, self._searched - 128))
        if match is None:
            self._searched = len(self._buffer)
            return None
        code, end = int(match[1]), match.end() + int(match[2])
        if len(self._buffer) < end:
            return None
        output = bytes(self._buffer[: match.start()])
        errors = bytes(self._buffer[match.end() : end])[-STDERR_KEPT:]
        del self._buffer[:end]
        self._searched = 0
        return StepResult(code, output.decode("utf-8", "surrogateescape"), errors.decode("utf-8", "replace").strip())
