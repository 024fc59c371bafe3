"""The work that is the same for everyone: a folder of 13 files made by templates, two packages, a unit, programs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

TEMPLATES = tuple(range(1, 14))
PACKAGES = ("curl", "supervisor")
UNIT = "supervisor"
PROGRAMS = ("peer-a", "peer-b")  # under supervisord; nobody restarts them
GREETING = "good morning"
LINES = 24  # of each file
ROOT = "/etc/peers"  # on the hosts; each contestant has a folder of its own below it
CHANGES = TEMPLATES[0]  # the one template that has the variable `answer`
ASK = ("supervisorctl", "status", *PROGRAMS)  # exits with 0 when all of them run
START = ("supervisorctl", "start", *PROGRAMS)


class Action(enum.Enum):
    """What is timed, as it is headed in the table."""

    NO_OP = "no-op"
    CHECK = "check"
    CHANGE = "one change"
    COLD = "cold"


def template(number: int) -> str:
    """The Jinja of one file. Its variables are `number`, `greeting` and `answer`; no tag stands on a line of its own,
    because those who render it differ in what becomes of such a line."""
    head = "# file {{ number }}: {{ greeting | upper }}\n"
    answer = "answer = {{ answer }}\n" if number == CHANGES else ""
    lines = (f"setting-{line:02} = {{{{ greeting }}}} {{{{ number }}}}.{line}\n" for line in range(LINES))
    return head + answer + "".join(lines)


def content(number: int, answer: str) -> bytes:
    """The file that has to come of it."""
    head = f"# file {number}: {GREETING.upper()}\n"
    said = f"answer = {answer}\n" if number == CHANGES else ""
    lines = (f"setting-{line:02} = {GREETING} {number}.{line}\n" for line in range(LINES))
    return (head + said + "".join(lines)).encode()


def source(number: int) -> str:
    """The name of a template's file."""
    return f"{number}.conf.j2"


def target(name: str, number: int) -> str:
    """The path of a file on the hosts. name: the contestant's."""
    return f"{folder(name)}/{number}.conf"


def folder(name: str) -> str:
    """The contestant's folder on the hosts."""
    return f"{ROOT}/{name}"


def write_templates(place: Path, end: str = "") -> None:
    """Writes all templates into a folder, which is made. end: added to each."""
    place.mkdir(parents=True, exist_ok=True)
    for number in TEMPLATES:
        (place / source(number)).write_text(template(number) + end)


def write_files(place: Path, files: Mapping[str, str]) -> None:
    """Writes files, named by their paths below a folder."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
