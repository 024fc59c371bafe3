"""Shell as code: scripts are files, and values reach them as arguments and variables, never as source.

A module's scripts are the `*.sh` files of the folder `sh` beside it, POSIX sh, clean under `shellcheck -s sh`:

    SCRIPTS = Scripts(__file__)
    SCRIPTS.call("place", path, MODE="0644")   # sh/place.sh reads "$1" and "$MODE"

What `call` returns may be followed by another script, and `exit` in it ends both: where that matters, run it in a
subshell. A script that runs another one in its middle names a function, and is preceded by its definition:

    function("fix", SCRIPTS.call("place", path)) + SCRIPTS.call("journal", FILE=file)   # journal.sh calls `fix`

So nothing is pasted into a script, nothing is quoted twice, and shellcheck can read what was put together.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")  # capitals: shellcheck takes them for given, and no script's own are


def quote(value: str) -> str:
    """The value as one word of sh, whatever it contains."""
    return shlex.quote(value)


def words(values: Iterable[str]) -> str:
    """The values as words of sh with blanks between."""
    return " ".join(map(quote, values))


def function(name: str, script: str) -> str:
    """sh that defines a function that runs the script in a subshell: its `exit` ends only the function.

    It sees the variables that are set when it is called, and what arguments it is called with.
    """
    return f"{name}() (\n{script.rstrip()}\n)\n"


def without_comments(script: str) -> str:
    """The script without the lines that are comments alone, and without empty ones."""
    lines = (line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return "\n".join(lines)


class Scripts:
    """The scripts beside a module. module: its `__file__`."""

    def __init__(self, module: str) -> None:
        self._folder = Path(module).parent / "sh"

    def text(self, name: str) -> str:
        """sh/NAME.sh as it is written: for functions that other scripts call."""
        return _read(self._folder / f"{name}.sh")

    def argv(self, name: str, *arguments: str) -> list[str]:
        """The command line that runs sh/NAME.sh with these arguments, here or wherever there is an sh."""
        return ["sh", "-c", self.text(name), "sh", *arguments]

    def call(self, name: str, *arguments: str, **variables: str) -> str:
        """sh that sets the arguments and the variables, whose names are capitals, and then does what sh/NAME.sh says.

        Raises ValueError for a variable's name in other letters.
        """
        for variable in variables:
            if not _VARIABLE.fullmatch(variable):
                raise ValueError(f"{name}.sh can't be given {variable}: the names of variables are in capitals")
        values = "".join(f"{variable}={quote(value)}\n" for variable, value in variables.items())
        return f"set -- {words(arguments)}".rstrip() + f"\n{values}{self.text(name)}"


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
