"""What a check may ask: one command at one location. All commands for a location at a time travel in one script."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from provision.facts.question import Question
from provision.remote.shell import Scripts, quote

SECONDS = 6.0
OUTPUT_BYTES = 4 << 20
SHOWN = 300
SCRIPTS = Scripts(__file__)


@dataclass(frozen=True)
class Ask(Question):
    """A command of sh and where it runs: on a host of the inventory, or at another location (OUTSIDE, BROWSER).

    timeout: seconds. What two checks ask in the same words is asked once.
    """

    location: str
    command: str
    timeout: float = SECONDS

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        """All commands side by side, so that one that waits delays no other; each answer on a line of its own."""
        asked = (word for q in questions for word in (f"{q.timeout:g}", q.command))
        return SCRIPTS.call("ask", *asked, OUTPUT=str(OUTPUT_BYTES))

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, Answer]:
        """The answers, in the order of the questions."""
        lines = [line.split(",") for line in output.splitlines() if line.count(",") == 2]
        return {
            q: Answer(int(status), _text(out), _text(err), q.timeout)
            for q, (status, out, err) in zip(questions, lines, strict=True)
        }


@dataclass(frozen=True)
class Answer:
    """What a command came to: its exit code, what it printed, what it complained about."""

    code: int
    output: str
    errors: str = ""
    timeout: float = SECONDS

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    @property
    def text(self) -> str:
        """What it printed, without the space around it."""
        return self.output.strip()

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return self.output.splitlines()

    @property
    def json(self) -> Any:
        """What it printed, as JSON. Raises AssertionError, with what came back instead."""
        try:
            return json.loads(self.output)
        except ValueError:
            raise AssertionError(f"no JSON came back: {self}") from None

    def __str__(self) -> str:
        """What came back, as it stands in a report."""
        if self.code in (124, 137):
            return f"nothing within {self.timeout:g} s"
        shown = " ".join((self.text or self.errors.strip()).split())
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        if self.ok:
            return repr(shown) if shown else "nothing"
        output = " ".join(self.errors.split())[:SHOWN] or shown or "nothing"
        return f"exit code {self.code}: {output}"


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-8", "replace")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer as `curl` (see `http`) reported it. status 0: none came; `code` is then curl's exit code."""

    code: int
    status: int
    headers: Mapping[str, str]
    body: str
    output: str

    @staticmethod
    def of(answer: Answer) -> Reply:
        """The answer to the command that `http` made."""
        head, _, body = answer.output.partition("\r\n\r\n")
        first, *fields = head.splitlines() or [""]
        words = first.split()
        status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") else 0
        headers = {name.strip().lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
        return Reply(answer.code, status, headers, body, str(answer))

    @property
    def json(self) -> Any:
        """The body as JSON. Raises AssertionError where the other side went away in the middle of its answer."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError(f"the answer came cut short: {self}") from None

    def __str__(self) -> str:
        """What came back, as it stands in a report."""
        if self.status:
            shown = " ".join(self.body.split())
            return f"HTTP {self.status} {shown[:120]!r}" if shown else f"HTTP {self.status} without a body"
        return f"no HTTP answer ({self.output})"


def http(
    url: str, *, host: str = "", address: str = "", headers: Mapping[str, str] | None = None, seconds: float = 3
) -> str:
    """The curl command that asks `url`, as `Reply.of` reads it. host: the Host header, if not the URL's own; address:
    where the connection goes, if not where the URL's name leads. Any certificate will do.
    """
    every = {**({"Host": host} if host else {}), **(headers or {})}
    fields = " ".join(f"-H {quote(f'{name}: {value}')}" for name, value in every.items())
    way = f"--connect-to {quote(f'::{address}:')} " if address else ""
    return f"curl -sSik --noproxy '*' -m {seconds:g} {way}{fields} {quote(url)}"
