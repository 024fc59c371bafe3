"""nginx's variables in a value: those of the request, and those that `map` blocks make of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from urltrace.nginx.regexp import compile_pcre
from urltrace.nginx.syntax import Directive

NAMED = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
DEEPEST = 8  # maps of maps; more is a loop


def substituted(text: str, known: Mapping[str, str], main: Directive) -> str | None:
    """`text` with every variable's value; None where one can't be told. known: name, without $ -> value."""
    return _substituted(text, known, main, 0)


def _substituted(text: str, known: Mapping[str, str], main: Directive, depth: int) -> str | None:
    values = {}
    for found in NAMED.finditer(text):
        value = _value(found[1] or found[2], known, main, depth)
        if value is None:
            return None
        values[found[0]] = value
    return NAMED.sub(lambda found: values[found[0]], text)


def _value(name: str, known: Mapping[str, str], main: Directive, depth: int) -> str | None:
    if name in known:
        return known[name]
    for http in main.all("http"):
        for block in http.all("map"):
            if block.arguments[1:] == (f"${name}",) and depth < DEEPEST:
                source = _substituted(block.arguments[0], known, main, depth + 1)
                return None if source is None else _mapped(block, source, known, main, depth)
    return None


def _mapped(block: Directive, source: str, known: Mapping[str, str], main: Directive, depth: int) -> str | None:
    """What the map says of `source`: its text first, then the first pattern that matches, then the default."""
    lines = [(line.name, line.arguments[0]) for line in block.block or () if line.arguments]
    exact = {key.lower(): value for key, value in lines if not key.startswith("~") and key != "default"}
    if source.lower() in exact:
        return _substituted(exact[source.lower()], known, main, depth + 1)
    for key, value in lines:
        if not key.startswith("~"):
            continue
        folded = key.startswith("~*")
        try:
            found = compile_pcre(key[2 if folded else 1 :], re.IGNORECASE if folded else 0).search(source)
        except ValueError:
            return None
        if found:
            captured = {str(number): text or "" for number, text in enumerate(found.groups(), 1)}
            return _substituted(value, {**known, **captured}, main, depth + 1)
    default = next((value for key, value in lines if key == "default"), "")
    return _substituted(default, known, main, depth + 1)
