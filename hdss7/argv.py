"""Checks the command line before Invoke acts on it: its parser accepts mistakes that would deploy.

Read in Invoke 2.2.1 and tried: its own options are accepted after a task and then mean nothing, so that
`invoke deploy --dry` would deploy; `--forks x` is a traceback; usage errors exit 1; words after `--` are dropped.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from hdss7.help import print_help, print_task_help
from provision.errors import Exit, InputError, ProvisionError
from provision.spelling import listed, suggestion
from provision.usage import usage

# Ansible's short options: what its users type.
SHORT = {
    "-i": "--inventory",
    "-l": "--limit",
    "-t": "--tags",
    "-e": "--extra-vars",
    "-C": "--check",
    "-D": "--diff",
    "-f": "--forks",
    "-v": "--verbose",
    "-u": "--user",
    "-K": "--ask-become-pass",
    "-J": "--ask-vault-pass",
}
# Options of Invoke and of Ansible that have no effect here, and what does instead.
INSTEAD = {
    "--dry": f"To see what would change: --check, or {usage('plan')}",
    "-R": f"To see what would change: --check, or {usage('plan')}",
    "--syntax-check": f"To check everything that needs no host: {usage('lint')}",
    "--list-hosts": f"To see which hosts a pattern means: {usage('hosts --pattern PATTERN')}",
    "--list-tasks": f"To see what would be done: {usage('plan')}",
    "--list-tags": "A role's name is its tag; site.yml holds the others",
    "--become": "Write ansible_become: true into the inventory, or --extra-vars ansible_become=true",
    "-b": "Write ansible_become: true into the inventory, or --extra-vars ansible_become=true",
    "--become-user": "Write ansible_become_user into the inventory, or --extra-vars ansible_become_user=NAME",
    "--connection": "Write ansible_connection into the inventory; --transport openssh uses this machine's ssh",
    "-c": "Write ansible_connection into the inventory; --transport openssh uses this machine's ssh",
    "--ask-pass": "Use a key (--private-key), or write ansible_password into the inventory",
    "-k": "Use a key (--private-key), or write ansible_password into the inventory",
    "--key-file": "Use --private-key",
    "--vault-pass-file": "Use --vault-password-file",
    "--ask-vault-password": "Use --ask-vault-pass",
    "--timeout": "Write ansible_ssh_timeout into the inventory, or --extra-vars ansible_ssh_timeout=SECONDS",
    "--command-timeout": "Every step has a deadline of its own; ansible_ssh_timeout is the one for logging in",
    "-T": "Every step has a deadline of its own; ansible_ssh_timeout is the one for logging in",
    "--warn-only": "Every host goes on by itself; where a play has serial, a failed one ends it",
    "-w": "Every host goes on by itself; where a play has serial, a failed one ends it",
    "--config": "Settings are in the inventory; --extra-vars @FILE adds some",
    "--list-depth": f"{usage('--list')} is the list of commands",
    "--list": f"{usage('--list')} is the list of commands; it stands alone",
    "--echo": "Use --verbose",
    "--debug": "Use --verbose; every run's log is kept",
    "-d": "Use --verbose; every run's log is kept",
    "--prompt-for-sudo-password": "Use --ask-become-pass",
}
# Invoke's own options that mean something before a command.
HARMLESS = frozenset(
    (
        "help",
        "list",
        "list-depth",
        "list-format",
        "version",
        "complete",
        "debug",
        "write-pyc",
        "collection",
        "search-root",
    )
)
HELP = ("--help", "-h")
# What a command needs that needs no option before it, and is no host.
MISSING = {"init": ("a folder", "DIR"), "trace": ("a URL", "http://demo.od.com/")}


def install_strict_parser(program: type[Any]) -> None:
    """Makes Invoke's Program ask `check` first, end usage errors with exit 4 and one paragraph, and print our help."""
    if getattr(program.parse_tasks, "strict", False):
        return
    parse, clean_up = program.parse_tasks, program.parse_cleanup

    def parse_tasks(self: Any) -> None:
        _strictly(self.argv, lambda: check(self), lambda: parse(self))

    def parse_cleanup(self: Any) -> None:
        _strictly(self.argv, lambda: clean_up(self))

    parse_tasks.strict = True  # type: ignore[attr-defined]
    program.parse_tasks, program.parse_cleanup = parse_tasks, parse_cleanup
    program.print_help, program.print_task_help = print_help, print_task_help


def _strictly(argv: Sequence[str], *steps: Callable[[], None]) -> None:
    """Runs the steps; what the user did wrong ends Invoke with exit 4, in JSON if that was asked for."""
    from invoke import Exit as Quit
    from invoke.exceptions import ParseError

    from hdss7.command import disk_full, fail, reader_gone

    try:
        for step in steps:
            step()
    except BrokenPipeError:
        raise Quit(code=reader_gone()) from None
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename:
            raise
        raise Quit(code=disk_full()) from None
    except ProvisionError as error:
        raise Quit(code=fail(error.explanation, error.exit, "--json" in _before_dashes(argv))) from None
    except (ParseError, ValueError) as error:
        wrong = InputError(
            str(error).strip(), do=f"{usage('--list')} shows the commands, {usage('--help COMMAND')} its options"
        )
        raise Quit(code=fail(wrong.explanation, Exit.BAD_INPUT, "--json" in _before_dashes(argv))) from None
    except Quit as quit:
        if quit.message and quit.code == 1:
            wrong = InputError(quit.message.strip().rstrip("!"), do=f"{usage('--list')} shows all commands")
            raise Quit(code=fail(wrong.explanation, Exit.BAD_INPUT, "--json" in _before_dashes(argv))) from None
        raise


def check(program: Any) -> None:
    """Raises InputError for whatever in a program's command line can't be meant."""
    for word in _before_dashes(program.argv):
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise InputError("an argument is not UTF-8", found=f"{word!a} was typed", do="Type it in UTF-8")
    given = {name for name, option in program.args.items() if option.got_value}
    for name in sorted(given - HARMLESS):
        raise _refused(f"--{name}", "")
    commands = {
        name: Words.of(name, context)
        # a copy's, because a task hands out what --help says of its options only once (Invoke 2.2.1)
        for context in deepcopy(program.collection).to_contexts()
        for name in (context.name, *context.aliases)
    }
    called = tuple(read(program.core.unparsed, commands))
    asked = next((c.command for c in called if c.explained), "")
    if asked:  # Invoke would take --help for what the command lacks: the name of a folder, a URL
        program.core.unparsed.clear()
        program.args.help.value = asked
        return
    takers = [c for c in called if getattr(program.collection[c.command], "takes_words", False)]
    if "--" in program.argv and called and not takers:
        raise InputError(f"{called[-1].command} takes nothing after --", do="Leave out the dashes and what follows")
    if len(called) > 1 and any("--json" in c.options for c in called):
        raise InputError("--json is for one command a run", found=f"{len(called)} were given", do="Run them one by one")


class Words:
    """What may follow one command, read from Invoke's parser context."""

    def __init__(
        self, command: str, takes: Mapping[str, type | None], repeats: frozenset[str], positionals: int
    ) -> None:
        """takes: option -> type of its value, None for a flag. repeats: options that may come more than once."""
        self.command, self.takes, self.repeats, self.positionals = command, takes, repeats, positionals
        self.options: set[str] = set()
        self.explained = False  # --help follows: nothing else has to

    @staticmethod
    def of(command: str, context: Any) -> Words:
        """The words of the command that `context` parses."""
        takes = {flag: option.kind if option.takes_value else None for flag, option in context.flags.items()}
        repeats = (flag for flag, option in context.flags.items() if option.kind is list or option.incrementable)
        return Words(command, takes, frozenset(repeats), len(context.positional_args))


def read(tokens: Sequence[str], commands: Mapping[str, Words]) -> Iterator[Words]:
    """The commands among the words, each with the options it got. Raises InputError at the first senseless one."""
    now: Words | None = None
    left = list(tokens)
    while left:
        token = left.pop(0)
        if token.startswith("-") and token != "-":
            _option(token, left, now)
        elif now is not None and now.positionals:
            now.positionals -= 1
        elif token in commands:
            if now is not None:
                yield _whole(now)
            known = commands[token]
            now = Words(token, known.takes, known.repeats, known.positionals)
        else:
            raise _unknown_word(token, now, commands)
    if now is not None:
        yield _whole(now)


def _option(token: str, left: list[str], now: Words | None) -> None:
    """Takes an option, and its value out of `left`."""
    name, equals, value = token.partition("=")
    if now is None:
        do = f"Options follow the command: {usage(f'deploy {SHORT.get(name, name)}')}"
        raise InputError(f"{name} stands before the command", do=do)
    if name in HELP and name not in now.takes:
        now.explained = True
        return
    if name not in now.takes:
        raise _refused(name, now.command, now.takes)
    if name in now.options and name not in now.repeats:
        raise InputError(f"{name} was given twice", do="Give it once")
    now.options.add(name)
    kind = now.takes[name]
    if kind is None:
        if equals:
            raise InputError(f"{name} takes no value", found=f"{token} was typed", do=f"Type {name} alone")
        return
    if not equals:
        if not left or left[0] in now.takes or left[0] in HELP:
            raise InputError(f"{name} needs a value", do=f"{usage(f'--help {now.command}')} shows what it takes")
        value = left.pop(0)
    if kind is int and not value.strip().isdecimal():
        what = "a number that is not negative" if value.strip().removeprefix("-").isdecimal() else "a number"
        raise InputError(f"{name} needs {what}", found=f"'{value}' was typed", do=f"Type a whole number: {name} 10")


def _whole(words: Words) -> Words:
    if words.positionals and "--host" not in words.options and not words.explained:
        what, example = MISSING.get(words.command, ("the name of a host", "HOST"))
        raise InputError(f"{words.command} needs {what}", do=usage(f"{words.command} {example}"))
    return words


def _refused(name: str, command: str, known: Mapping[str, object] = {}) -> InputError:
    """Why an option does nothing here, and what does instead."""
    long = SHORT.get(name) or next((SHORT[s] for s in SHORT if name.startswith(s) and name[:2] != "--"), "")
    if long and not command:
        return InputError(f"{name} stands before the command", do=f"Options follow it: {usage(f'deploy {long}')}")
    if long and long in known:
        return InputError(f"{name} is not an option here", do=f"Options are written out: {long}")
    after = f" of {command}" if command else ""
    if command == "hosts" and name in ("--limit", "-l"):
        return InputError(f"{name} is not an option{after}", do="Name the hosts with --pattern")
    options = f"Its options: {listed(sorted(known), 40)}" if known else "It has no effect on any command here"
    do = INSTEAD.get(name) or suggestion(name, known) or options
    return InputError(f"{name} is not an option{after}: nothing was done", do=do)


def _unknown_word(token: str, now: Words | None, commands: Mapping[str, Words]) -> InputError:
    if now is None:
        do = suggestion(token, commands) or f"Commands: {listed(sorted(commands), 30)}"
        return InputError(f"there is no command '{token}'", do=do)
    near = suggestion(token, commands)
    if near:
        return InputError(f"there is no command '{token}'", do=near)
    if now.command in ("run", "lab.exec"):
        do = f"The command to run follows two dashes: {usage(f'{now.command} ... -- {token}')}"
        return InputError(f"{now.command} does not know the word '{token}'", do=do)
    limit = next((option for option in ("--limit", "--pattern") if option in now.takes), "")
    if "://" in token and "--url" in now.takes:
        do = f"Write --url before each URL: {usage(f'{now.command} --url {token}')}"
        return InputError(f"{now.command} takes URLs by an option", found=f"'{token}' was typed", do=do)
    do = f"To mean a host: {limit} {token}" if limit else f"{usage(f'--help {now.command}')} shows what it takes"
    return InputError(f"{now.command} does not know the word '{token}'", do=do)


def _before_dashes(argv: Sequence[str]) -> Sequence[str]:
    return argv[: argv.index("--")] if "--" in argv else argv
