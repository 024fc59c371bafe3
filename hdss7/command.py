"""How a function becomes a command: its options, and what happens to everything that it raises."""

from __future__ import annotations

import errno
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from invoke import Exit as Quit
from invoke import Task

from hdss7.options import OPTIONS, Kind, Option, Options
from provision.errors import Exit, Explanation, InputError, ProvisionError

Command = Callable[[Options], int]
DASHES = "--"


def command(*names: str, words: bool = False, default: bool = False) -> Callable[[Command], Task[int]]:
    """Makes an Invoke task of a function of Options that returns an exit code.

    names: the fields of Options that it takes. words: it takes a command line after `--`. default: it is what its
    collection's name alone means.
    """

    options = tuple(OPTIONS[name] for name in names)

    def decorate(function: Command) -> Task[int]:
        def body(_: Any, **typed: Any) -> None:
            outcome = run(function.__name__, bool(typed.get("json")), lambda: function(_options(options, typed, words)))
            if outcome:
                raise Quit(code=outcome)

        first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)
        body.__signature__ = inspect.Signature([first, *(option.parameter for option in options)])  # type: ignore[attr-defined]
        body.__doc__, body.__name__ = function.__doc__, function.__name__.rstrip("_")
        made = Task(
            body,
            default=default,
            auto_shortflags=False,
            positional=[option.attribute for option in options if option.kind is Kind.POSITIONAL],
            iterable=[option.attribute for option in options if option.kind is Kind.REPEATED],
            incrementable=[option.attribute for option in options if option.kind is Kind.COUNTED],
            help={option.attribute: option.help for option in options},
        )
        made.takes_words = words
        return made

    return decorate


def run(name: str, json: bool, call: Callable[[], int]) -> int:
    """Runs a command to its exit code: every error a paragraph on standard error, none a traceback.

    json: the object that programs expect is printed for errors too.
    """
    try:
        code = call()
        sys.stdout.flush()
        return code
    except ProvisionError as error:
        return fail(error.explanation, error.exit, json)
    except KeyboardInterrupt:
        return fail(Explanation(f"{name} was interrupted"), Exit.INTERRUPTED, json)
    except BrokenPipeError:
        return reader_gone()
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:
            return disk_full()
        return fail(_unexpected(name, error), Exit.FAILED, json)


def reader_gone() -> int:
    """The exit code when whoever read the output has gone (`| head`): nobody is left to read an error.

    It is the one that a shell shows for a program that SIGPIPE has ended.
    """
    _write_no_more()
    return 128 + signal.SIGPIPE


def disk_full() -> int:
    """The exit code when standard output can't be written, which is said on standard error."""
    _write_no_more()
    print(Explanation("standard output can't be written", found=os.strerror(errno.ENOSPC)), file=sys.stderr)
    return Exit.FAILED


def _write_no_more() -> None:
    """Python must not try to write the rest at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(error: Explanation, code: Exit, json: bool) -> int:
    """Says why a command ends before it has a report, and returns its exit code."""
    sys.stdout.flush()
    print(error, file=sys.stderr)
    if json:
        from hdss7.report.json import failure

        print(failure(error, code))
    return code


def _options(options: Iterable[Option], typed: dict[str, Any], words: bool) -> Options:
    values = {option.field: typed[option.attribute] for option in options}
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    if "@" in (given.get("limit") or ""):
        from provision.inventory.patterns import with_files

        given["limit"] = with_files(given["limit"], Path.cwd())
    return Options(**given, words=after_dashes(sys.argv) if words else ())


def after_dashes(argv: list[str]) -> tuple[str, ...]:
    """The words after `--`, as the shell gave them: Invoke's own copy has lost their quoting."""
    rest = tuple(argv[argv.index(DASHES) + 1 :]) if DASHES in argv else ()
    if not rest:
        raise InputError("there is no command to run", do="Put it after two dashes: -- uptime")
    return rest


def _unexpected(name: str, error: Exception) -> Explanation:
    from hdss7.report.log import Log

    log = Log.open(name)
    log.write("".join(traceback.format_exception(error)))
    return Explanation(
        f"{name} met something it was not made for: {type(error).__name__}: {error}",
        found=f"Where it happened is in {log.path}",
        do="This is a fault of the toolkit, not yours; please report it with that file",
    )
