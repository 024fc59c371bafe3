"""What --help prints: only options that have an effect, each with the kind of value that it takes."""

from __future__ import annotations

import inspect
from typing import Any

from invoke.parser.context import to_flag

from provision.usage import usage

# Invoke's own options that mean something here. It lists others, which hdss7/argv.py refuses.
EFFECTIVE = ("help", "list", "list-depth", "list-format", "print-completion-script", "version")


def print_help(program: Any) -> None:
    """Prints what `--help` alone shows: the options that need no command, then the commands.

    `hdss7 --help` and `invoke` alone come here. For `invoke --help` Invoke prints a text of its own, before it reads a
    tasks.py.
    """
    print(f"Usage: {usage('COMMAND [--options] [COMMAND [--options] ...]')}\n")
    print("Options without a command:\n")
    shown = [program.initial_context.args[name] for name in EFFECTIVE]
    program.print_columns([program.initial_context.help_for(f"--{option.name}") for option in shown])
    program.list_tasks()
    print(f"{usage('--help COMMAND')} shows the options of one command.")


def print_task_help(program: Any, name: str) -> None:
    """Prints what `--help COMMAND` shows."""
    task, context = program.collection[name], program.parser.contexts[name]
    words = " -- WORDS" if getattr(task, "takes_words", False) else ""
    places = "".join(f" {argument.name.upper()}" for argument in context.positional_args)
    print(f"Usage: {usage(name)}{places} [--options]{words}\n")
    print(f"{program.leading_indent}{inspect.getdoc(task)}\n")
    rows = sorted(_row(option) for option in context.args.values() if not option.positional)
    if rows:
        print("Options:\n")
        program.print_columns(rows)


def _row(option: Any) -> tuple[str, str]:
    """The option as it is typed, and its help. An option that may be repeated takes a value each time, or none."""
    kind = "" if option.incrementable or not option.takes_value else "=INT" if option.kind is int else "=STRING"
    return f"{to_flag(option.name)}{kind}", option.help or ""
