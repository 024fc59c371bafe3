"""`watch`: asks URLs each second, traces those whose answer changes, and says what changed."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.signals import interrupts
from hdss7.trace import Traced, concluded
from hdss7.tracing import places, traced
from provision.errors import Exit, InputError, ProvisionError
from provision.verify.checks import OUTSIDE_PLACE
from provision.verify.commands import Reply, http
from provision.verify.context import Context
from provision.verify.locations import OUTSIDE, Location
from urltrace.request import Request, parse_request

EVERY = 1.0  # seconds
AGAIN = 10.0  # seconds after which a URL that fails is traced again: the cause may be another one by now
UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass
class Watched:
    """A URL, and what was said of it last. asked: when it was traced, by time.monotonic()."""

    request: Request
    url: str
    said: str = ""
    asked: float = -AGAIN
    status: str = ""


def watch(options: Options) -> int:
    """Say what changes until the time is over. Returns 0 when every URL answers at the end, else 1."""
    if not options.urls:
        raise InputError("watch needs a URL", do="Name one or more: watch --url http://demo.od.com/ --for 10m")
    watched = [Watched(parse_request(url), url) for url in options.urls]
    seconds = duration(options.for_time) if options.for_time else float("inf")
    opened = open_project(options)
    context = Context(opened.project, options.selection())
    opened.check_up()
    deadline = time.monotonic() + seconds
    with interrupts() as stop, places(context) as asked:
        while True:
            began = time.monotonic()
            for one in watched:
                _look(one, context, opened.identity, asked, options)
            pause = min(EVERY, deadline - time.monotonic()) - (time.monotonic() - began)
            if time.monotonic() >= deadline or _stopped(stop, pause):
                return int(Exit.OK if all(one.status == "answers" for one in watched) else Exit.FAILED)


def duration(text: str) -> float:
    """Seconds out of 90s, 10m, 2h. Raises InputError."""
    found = re.fullmatch(r"(\d{1,6})([smh])", text)
    if not found or not int(found[1]):
        raise InputError(f"--for {text!r} is no length of time", do="Write 90s, 10m or 2h.")
    return int(found[1]) * UNITS[found[2]]


def _stopped(stop: threading.Event, seconds: float) -> bool:
    return stop.wait(max(0.0, seconds))


def _look(one: Watched, context: Context, site: str, asked: Mapping[str, Location], options: Options) -> None:
    """Asks once, as a client does; a trace follows where the answer is another one, or is still an error."""
    answers = answer_of(one.url, asked)
    status = status_of(answers)
    now = time.monotonic()
    if status == one.status and (status == "answers" or now - one.asked < AGAIN):
        return
    one.asked = now
    try:
        done = concluded(traced(context, asked, one.request), context.project, site, now)
        said = "it answers" if status == "answers" else done.verdict.sentence
    except ProvisionError as error:
        done, said = None, str(error)
    if said != one.said or status != one.status:
        _say(one, answers, said, done, options)
    one.status, one.said = status, said


def status_of(answers: str) -> str:
    """What is compared: why there is no answer is worded anew each time, with the milliseconds."""
    if not answers.isdigit():
        return "no answer"
    return "answers" if int(answers) < 400 else answers


def answer_of(url: str, asked: Mapping[str, Location]) -> str:
    """The status that a client gets, as digits, or why it gets none."""
    question = OUTSIDE_PLACE.sh(http(url))
    try:
        reply = Reply.of(asked[OUTSIDE].answers([question])[question])
    except ProvisionError as error:
        return str(error)
    return str(reply.status) if reply.status else str(reply)


def _say(one: Watched, answers: str, said: str, done: Traced | None, options: Options) -> None:
    changed: Sequence[str] = [str(each) for each in done.changed] if done else []
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    if options.json:
        body = {"at": at, "url": one.url, "answer": answers, "sentence": said, "changed": changed}
        print(msgspec.json.encode(body).decode(), flush=True)
        return
    print(f"{at}  {one.url}  {answers}  {said}", flush=True)
    for line in changed[:3]:
        print(f"{' ' * len(at)}  changed: {line}", file=sys.stdout, flush=True)
