"""A stream of YAML as the API server takes it: JSON in other words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from provision.errors import InputError
from provision.inventory.yamlfile import is_nested_deep

Place = tuple[str | int, ...]  # of a value in a document: ("spec", "rules", 0, "host")
DEEPEST, MOST = 60, 100_000  # levels and values of a document; aliases count as what they stand for
_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset(_CORE + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge", "value"))
_LONGEST_NUMBER = 2_000  # digits; Python makes no text of a number with more than 4,300
_ENDLESS = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]  # which of the two loaders there is, only PyYAML's build knows
    """Reads a date as text."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in resolvers if pair[0] != f"{_CORE}timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_stream(text: str, source: str) -> Iterator[tuple[Any, yaml.Node | None]]:
    """Each document with its node, (None, None) for an empty one. A date is the text that it is to Kubernetes.

    Raises InputError, naming source:line, for what is no YAML, for what kubectl refuses (a key that is there twice, a
    tag, a number that JSON has not) and for a document that is too large or contains itself.
    """
    if is_nested_deep(text):
        raise _no_manifest(source, f"It is nested deeper than {DEEPEST} levels")
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                for each, _ in values(node, source):
                    _check(each, source)
            yield (None, None) if node is None else (loader.construct_document(node), node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            "the manifest is not YAML",
            line=f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source,
            found=str(error.problem or error.context),
            do="Correct it there, or just above",
        ) from None
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "?")
        line = text.encode(errors="replace")[: error.position].count(b"\n") + 1
        found = f"It has a character that YAML does not take: U+{code:04X}"
        raise InputError("the manifest is not YAML", line=f"{source}:{line}", found=found, do="Take it out") from None
    except ValueError as error:  # of a value that its form promises and that can't be: 0b, 1:
        raise InputError("the manifest is not YAML", line=source, found=str(error), do="Put it in quotes") from None


def values(root: yaml.Node, source: str) -> Iterator[tuple[yaml.Node, Place]]:
    """Every value and its place. Raises InputError for a document that is too large, or that contains itself."""
    left: list[tuple[yaml.Node, Place]] = [(root, ())]
    seen = 0
    while left:
        node, place = left.pop()
        seen += 1
        if len(place) > DEEPEST or seen > MOST:
            found = f"With its aliases it has more than {DEEPEST} levels or {MOST} values"
            raise _no_manifest(_line(node, source), found)
        yield node, place
        if isinstance(node, yaml.MappingNode):
            left += [(value, (*place, getattr(key, "value", ""))) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            left += [(value, (*place, index)) for index, value in enumerate(node.value)]


def _no_manifest(line: str, found: str) -> InputError:
    return InputError("the document is no manifest", line=line, found=found, do="Write out what it should hold")


def _check(node: yaml.Node, source: str) -> None:
    """Refuse what PyYAML takes and JSON has not."""
    number = isinstance(node, yaml.ScalarNode) and node.tag in (f"{_CORE}int", f"{_CORE}float")
    if node.tag not in _TAGS:
        shown = node.tag.replace(_CORE, "!!")
        raise _not_json(node, source, f"The tag {shown} was written", "Write the plain value, in quotes if it is text")
    if number and (_ENDLESS.fullmatch(node.value) or len(node.value) > _LONGEST_NUMBER):
        found = f"{node.value:.20} is no number there"
        raise _not_json(node, source, found, "Write a number, or put it in quotes if it is text")
    if isinstance(node, yaml.ScalarNode) and any("\ud800" <= letter <= "\udfff" for letter in node.value):
        raise _not_json(node, source, "Half of a surrogate pair is no text", "Write the letter itself")
    if isinstance(node, yaml.MappingNode):
        _check_keys(node, source)


def _check_keys(node: yaml.MappingNode, source: str) -> None:
    first: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == f"{_CORE}merge":
            continue
        if key.value in first:
            raise InputError(
                f"the manifest has {key.value!r} twice in one object",
                line=_line(key, source),
                found=f"The first one is in line {first[key.value]}, and kubectl takes neither",
                do="Take one out",
            )
        first[key.value] = key.start_mark.line + 1


def _not_json(node: yaml.Node, source: str, found: str, do: str) -> InputError:
    return InputError("the manifest is no JSON", line=_line(node, source), found=found, do=do)


def _line(node: yaml.Node, source: str) -> str:
    return f"{source}:{node.start_mark.line + 1}"
