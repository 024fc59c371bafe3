"""Traefik's rules, as a tree. Syntax v3: Go's expressions of matchers, `&&`, `||`, `!` and parentheses.

Source: pkg/rules/parser.go and pkg/muxer/http of Traefik 3.7. Negation is pushed down to the matchers, as Traefik does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

ARITY = {
    "ClientIP": (1,),
    "Method": (1,),
    "Host": (1,),
    "HostRegexp": (1,),
    "Path": (1,),
    "PathRegexp": (1,),
    "PathPrefix": (1,),
    "Header": (2,),
    "HeaderRegexp": (2,),
    "Query": (1, 2),
    "QueryRegexp": (1, 2),
}
# Traefik also knows each in lower case, in upper case, and with only its first letter in upper case
NAMES = {spelt: name for name in ARITY for spelt in (name, name.lower(), name.upper(), name.capitalize())}
DEPTH = 100  # of parentheses; a rule that a person wrote has a few
LEXEME = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<newline>\n)|(?P<word>[A-Za-z_]\w*)|(?P<raw>`[^`]*`)|(?P<quoted>"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<sign>&&|\|\||[!(),])"""
)
ESCAPE = re.compile(r"""\\(?:([abfnrtv\\"])|x([0-9A-Fa-f]{2})|([0-7]{3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))""")
LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


class RuleError(ValueError):
    """A rule that Traefik does not load; the message says why."""


@dataclass(frozen=True)
class Matcher:
    """A leaf: one comparison with the request."""

    name: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        return f"{'!' if self.negated else ''}{self.name}({', '.join(f'`{value}`' for value in self.values)})"


@dataclass(frozen=True)
class And:
    """Both sides have to match."""

    left: Rule
    right: Rule

    def __str__(self) -> str:
        return " && ".join(f"({side})" if isinstance(side, Or) else str(side) for side in (self.left, self.right))


@dataclass(frozen=True)
class Or:
    """One side is enough."""

    left: Rule
    right: Rule

    def __str__(self) -> str:
        return f"{self.left} || {self.right}"


Rule = Matcher | And | Or


@dataclass(frozen=True)
class Token:
    """A piece of a rule. kind: word, text, sign, or end; column counts from 1."""

    kind: str
    value: str
    column: int


def parse(text: str) -> Rule:
    """The tree of a rule. Raises RuleError where Traefik refuses the rule."""
    return _Parser(text).rule()


def matchers(rule: Rule) -> Iterator[Matcher]:
    """Every matcher of a rule, from left to right."""
    if isinstance(rule, Matcher):
        yield rule
    else:
        yield from matchers(rule.left)
        yield from matchers(rule.right)


def negate(rule: Rule) -> Rule:
    """The opposite, with the negation at the matchers."""
    if isinstance(rule, Matcher):
        return Matcher(rule.name, rule.values, not rule.negated)
    other = Or if isinstance(rule, And) else And
    return other(negate(rule.left), negate(rule.right))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.depth = 0

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(_tokens(self.text))

    def rule(self) -> Rule:
        found = self.either()
        if self.next.kind != "end":
            self.refuse("&& or ||")
        return found

    def either(self) -> Rule:
        found = self.both()
        while self.took("||"):
            found = Or(found, self.both())
        return found

    def both(self) -> Rule:
        found = self.single()
        while self.took("&&"):
            found = And(found, self.single())
        return found

    def single(self) -> Rule:
        self.depth += 1
        if self.depth > DEPTH:
            raise RuleError(f"more than {DEPTH} parentheses in one another")
        if self.took("!"):
            found = negate(self.single())
        elif self.took("("):
            found = self.either()
            self.want(")")
        else:
            found = self.matcher()
        self.depth -= 1
        return found

    def matcher(self) -> Matcher:
        if self.next.kind != "word":
            self.refuse("a matcher")
        word = self.take()
        if word.value not in NAMES:
            raise RuleError(f"unsupported function: {word.value} (column {word.column})")
        self.want("(")
        values: list[str] = []
        while not self.took(")"):
            if values:
                self.want(",")
                if self.took(")"):
                    break
            if self.next.kind != "text":
                self.refuse("a value in `backticks` or double quotes")
            values.append(self.take().value)
        return _checked(NAMES[word.value], tuple(values))

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.next
        self.position += 1
        return token

    def took(self, sign: str) -> bool:
        if self.next.kind == "sign" and self.next.value == sign:
            self.take()
            return True
        return False

    def want(self, sign: str) -> None:
        if not self.took(sign):
            self.refuse(repr(sign))

    def refuse(self, wanted: str) -> NoReturn:
        found = "the end of the rule" if self.next.kind == "end" else repr(self.next.value)
        raise RuleError(f"column {self.next.column}: expected {wanted}, found {found}")


def _checked(name: str, values: tuple[str, ...]) -> Matcher:
    """What Traefik checks of every matcher when it builds a router."""
    if not values:
        raise RuleError(f"no args for matcher {name}")
    if "" in values:
        raise RuleError(f"empty args for matcher {name}")
    if len(values) not in ARITY[name]:
        hint = "; syntax v3 takes one: write (A || B)" if len(values) > max(ARITY[name]) else ""
        raise RuleError(f"{name} has {len(values)} parameters{hint}")
    if name in ("Path", "PathPrefix") and not values[0].startswith("/"):
        raise RuleError(f"path {values[0]!r} does not start with a '/'")
    if name in ("Host", "HostRegexp") and not values[0].isascii():
        raise RuleError(f"{name} takes ASCII only: write {values[0]!r} in Punycode")
    return Matcher(name, values)


def _tokens(text: str) -> Iterator[Token]:
    position, last = 0, ""
    while position < len(text):
        found = LEXEME.match(text, position)
        if not found:
            raise RuleError(f"column {position + 1}: {text[position]!r} has no meaning here")
        kind, value = str(found.lastgroup), found.group()
        # Go ends an expression at a line's end that follows a value or a parenthesis
        if kind == "newline" and last in ("text", ")") and text[position:].strip():
            raise RuleError(f"column {position + 1}: a line ends before the rule does; end it with && or ||")
        if kind in ("raw", "quoted"):
            inner = value[1:-1].replace("\r", "") if kind == "raw" else ESCAPE.sub(_unescaped, value[1:-1])
            yield Token("text", inner, position + 1)
            last = "text"
        elif kind in ("word", "sign"):
            yield Token(kind, value, position + 1)
            last = "text" if kind == "word" else value
        position = found.end()
    yield Token("end", "", len(text) + 1)


def _unescaped(found: re.Match[str]) -> str:
    letter, byte, octal, short, long, other = found.groups()
    if letter:
        return LETTERS[letter]
    if other is not None:
        raise RuleError(f"\\{other} is no escape of a double-quoted value; use `backticks`")
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    try:
        return chr(code)
    except (ValueError, OverflowError):
        raise RuleError(f"{found.group()} is no character") from None
