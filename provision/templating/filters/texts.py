"""Filters on texts, and what is one value or another."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from shlex import quote as shell_quote
from typing import Any
from urllib.parse import unquote_plus, urlsplit

# One word of every configuration language that templates write, and nothing more in any of them.
_WORD = re.compile(r"[A-Za-z0-9._:/@*!+,~-]+")
_YES = frozenset({"yes", "on", "1", "true"})
_REFERENCE = re.compile(r"\\g<(?P<name>\S+)>|\\(?P<number>\d+)")
_STYLES = {
    "plain": {"decoration": "# "},
    "erlang": {"decoration": "% "},
    "c": {"decoration": "// "},
    "cblock": {"beginning": "/*", "decoration": " * ", "end": " */"},
    "xml": {"beginning": "<!--", "decoration": " - ", "end": "-->"},
}
_URL = ("fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username")


def to_bool(value: Any) -> bool:
    """Ansible's `bool`: yes, on, 1 and true are true, everything else is false."""
    if isinstance(value, float):
        return value == 1
    return value if isinstance(value, bool) else str(value).lower() in _YES


def ternary(value: Any, yes: Any, no: Any, none: Any = None) -> Any:
    """`yes` when `value` is true, `no` otherwise; `none`, if it is given, when `value` is null."""
    if value is None and none is not None:
        return none
    return yes if value else no


def word(value: Any) -> str:
    """`value` where it has to be one word: for nginx, BIND, supervisord, systemd and other files without a safe quote.

    Raises ValueError for a text that could be more than a word there: the template fails, and nothing is changed.
    """
    text = str(value)
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text!r} is more than one plain word")
    return text


def quote(value: Any) -> str:
    """`value` as one word of the shell."""
    return shell_quote("" if value is None else str(value))


def regex_replace(
    value: Any = "",
    pattern: str = "",
    replacement: str = "",
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
    mandatory_count: int = 0,
) -> str:
    """Every match of `pattern` in `value` replaced; \\1 stands for the first group."""
    text, number = re.subn(pattern, replacement, str(value), count=count, flags=_flags(ignorecase, multiline))
    if mandatory_count and number != mandatory_count:
        raise ValueError(f"{pattern!r} matches {number} times, not {mandatory_count} times")
    return text


def regex_search(value: Any, pattern: str, *groups: str, ignorecase: bool = False, multiline: bool = False) -> Any:
    """The first match, or of it the groups that are named (\\1, \\g<name>); null when nothing matches."""
    found = re.search(pattern, str(value), _flags(ignorecase, multiline))
    if found is None or not groups:
        return found and found[0]
    return [found[_group(each)] for each in groups]


def _group(text: str) -> int | str:
    found = _REFERENCE.match(text)
    if not found:
        raise ValueError(f"{text!r} names no group: write \\1 or \\g<name>")
    return found["name"] or int(found["number"])


def regex_findall(value: Any, pattern: str, multiline: bool = False, ignorecase: bool = False) -> list[Any]:
    """Every match of `pattern` in `value`, or its groups."""
    return re.findall(pattern, str(value), _flags(ignorecase, multiline))


def regex_escape(value: Any, re_type: str = "python") -> str:
    """`value` as a regular expression that means it literally. Raises ValueError for an unknown kind."""
    if re_type == "posix_basic":
        return re.sub(r"([].[^$*\\])", r"\\\1", str(value))
    if re_type != "python":
        raise ValueError(f"re_type is python or posix_basic, not {re_type!r}")
    return re.escape(str(value))


def _flags(ignorecase: bool, multiline: bool) -> re.RegexFlag:
    return (re.IGNORECASE if ignorecase else re.NOFLAG) | (re.MULTILINE if multiline else re.NOFLAG)


def split(value: str, separator: str | None = None, maxsplit: int = -1) -> list[str]:
    """The parts between the separators."""
    return value.split(separator, maxsplit)


def comment(text: str, style: str = "plain", **options: Any) -> str:
    """`text` as a comment of a program. Raises ValueError for an unknown style."""
    if style not in _STYLES:
        raise ValueError(f"style is one of {', '.join(_STYLES)}, not {style!r}")
    mark = str(options.get("decoration", _STYLES[style]["decoration"]))
    given = {"newline": "\n", "beginning": "", "end": "", "prefix": mark.rstrip(), "postfix": mark.rstrip()}
    given |= {"prefix_count": "1", "postfix_count": "1", **_STYLES[style], **options}
    line = given["newline"]
    body = (mark + text.replace(line, line + mark)).replace(mark + line, mark.rstrip() + line)
    return "".join(
        (
            given["beginning"] + line if given["beginning"] else "",
            (given["prefix"] + line if given["prefix"] not in ("", line) else given["prefix"])
            * int(given["prefix_count"]),
            body,
            (line + given["postfix"]) * int(given["postfix_count"]),
            line + given["end"] if given["end"] else "",
        )
    )


def split_url(value: str, query: str = "") -> Any:
    """The parts of a URL, or the one that `query` names. Raises ValueError."""
    parts = {name: getattr(urlsplit(value), name) for name in _URL}
    if query and query not in parts:
        raise ValueError(f"a URL has no part {query!r}, but {', '.join(_URL)}")
    return parts[query] if query else parts


FILTERS: Mapping[str, Callable[..., Any]] = {
    "bool": to_bool,
    "comment": comment,
    "quote": quote,
    "regex_escape": regex_escape,
    "regex_findall": regex_findall,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
    "split": split,
    "ternary": ternary,
    "urldecode": unquote_plus,
    "urlsplit": split_url,
    "word": word,
}
