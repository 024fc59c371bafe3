"""YAML read together with where each value stands, so that an error can name file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from provision.errors import InputError
from provision.inventory.vault import HEADER, Sealed, Vault
from provision.secret import secret
from provision.templating.marks import Unsafe

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_NUMBER = "tag:yaml.org,2002:int"
_SET = "tag:yaml.org,2002:set"
_VAULTS = ("!vault", "!vault-encrypted")
_UNSAFE = "!unsafe"
_DEEPEST = 200  # levels of nesting; libyaml crashes at some ten thousand
_LARGEST = 100_000  # values that anchors may expand to, beyond ten times what is written
_LONGEST_NUMBER = 2_000  # letters; Python makes no text of a number with more than 4,300 digits
# What a text that is nested deeper than that must have: brackets, an indentation, or a row of dashes.
_NESTED = re.compile(rf"^ {{{_DEEPEST}}}|(?:[-?:][ \t]+){{{_DEEPEST // 2}}}", re.MULTILINE)
_BRACKET = re.compile(r"[\[\]{}]")


_Entry = tuple[yaml.Mark, yaml.Node]  # where a value begins, or its key; and the value


class YamlSyntaxError(InputError):
    """The text is no YAML at all; it may be INI."""


class _Loader(_BASE):  # type: ignore[misc]  # which of the two loaders there is, only PyYAML's build knows
    """Knows two tags more than YAML itself: `!vault` and `!unsafe`."""

    def __init__(self, text: str, shown: str, vault: Vault) -> None:
        super().__init__(text)
        self.shown = shown
        self.vault = vault

    def sealed(self, node: yaml.ScalarNode) -> Sealed:
        """An encrypted value, left closed."""
        return self.vault.seal(node.value, f"{self.shown}:{node.start_mark.line + 1}")

    def ordered(self, node: yaml.MappingNode) -> list[Any]:
        """The items of a set in the order written, so that nothing made of them differs from run to run."""
        return list(self.construct_mapping(node))

    def unsafe(self, node: yaml.Node) -> Any:
        """A value in which no text is a template."""
        plain = type(node)(
            self.resolve(type(node), node.value, (True, False)), node.value, node.start_mark, node.end_mark
        )
        return _unsafe(self.construct_object(plain, deep=True))


for _tag in _VAULTS:
    _Loader.add_constructor(_tag, _Loader.sealed)
_Loader.add_constructor(_UNSAFE, _Loader.unsafe)
_Loader.add_constructor(_SET, _Loader.ordered)


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unsafe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unsafe(item) for item in value]
    return Unsafe(value) if type(value) is str else value


@dataclass(frozen=True)
class Document:
    """One YAML text. data: what it says, as plain Python; shown: the file's name as a person reads it."""

    data: Any
    shown: str
    root: yaml.Node | None = field(repr=False, compare=False, default=None)
    _inside: dict[int, dict[str, _Entry]] = field(repr=False, compare=False, default_factory=dict)

    def line(self, path: Sequence[object] = ()) -> str:
        """`file:line` of the value at `path` (mapping keys and list indexes), "" if there is none."""
        if self.root is None:  # a program printed it, or nothing was written
            return self.shown if _has(self.data, path) else ""
        node, mark = self.root, self.root.start_mark
        for key in path:
            entry = self._child(node, str(key))
            if entry is None:
                return ""
            mark, node = entry
        return f"{self.shown}:{mark.line + 1}"

    def _child(self, node: yaml.Node | None, key: str) -> _Entry | None:
        if node is None:
            return None
        if id(node) not in self._inside:
            self._inside[id(node)] = dict(_entries(node))
        return self._inside[id(node)].get(key)

    def nearest_line(self, path: Sequence[object]) -> str:
        """`file:line` of the value at `path`, or of the closest thing around it."""
        return next(filter(None, (self.line(path[:size]) for size in range(len(path), -1, -1))))


def read(path: Path, shown: str = "", vault: Vault | None = None) -> Document:
    """The file at `path`; `vault` opens what is encrypted in it.

    Raises InputError when it can't be read or opened, or is not one YAML document.
    """
    shown = shown or str(path)
    return parse(read_text(path, shown), shown, vault)


def read_text(path: Path, shown: str) -> str:
    """The file's text, as it stands there. Raises InputError when it can't be read or is not UTF-8."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(f"cannot read {shown}", found=found, do=f"Look at it: ls -lL {shown}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            "cannot read the file",
            line=shown,
            found=f"byte {error.start} is not UTF-8",
            do="Save it as UTF-8.",
        ) from None
    if "\0" in text:
        line = f"{shown}:{text.count(chr(10), 0, text.index(chr(0))) + 1}"
        raise InputError("cannot read the file", line=line, found="There is a byte 0 in it", do="Save it as UTF-8.")
    return text


def parse(text: str, shown: str, vault: Vault | None = None) -> Document:
    """The YAML in `text`; `shown` stands for its file name in errors. Raises InputError.

    A text that is encrypted as a whole is opened at once, everything in it is secret, and lines are those of the text
    that was encrypted. A `!vault` value stays closed until it is used.
    """
    vault = vault or Vault()
    if not text.startswith(HEADER):
        return _parse(text, shown, vault)
    opened = str(vault.seal(text, shown).open())
    try:
        document = _parse(opened, shown, vault)
    except InputError as error:
        # without what was found: PyYAML quotes what it can't read
        raise error.but(found="") from None
    return Document(secret(document.data), shown, document.root)


def _parse(text: str, shown: str, vault: Vault) -> Document:
    if is_nested_deep(text):
        raise InputError(f"the YAML is nested deeper than {_DEEPEST} levels", line=shown, do="Write it flatter.")
    loader = _Loader(text, shown, vault)
    try:
        root = loader.get_single_node()
        if root is None:
            return Document(None, shown)
        _check(root, shown)
        return Document(loader.construct_document(root), shown, root)
    except InputError:
        raise
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error, shown) from None
    except yaml.YAMLError as error:
        raise YamlSyntaxError("the YAML can't be read", line=shown, found=" ".join(str(error).split())) from None
    except Exception as error:  # PyYAML's own for a value that its tag or form promises and that can't be: 2020-13-01
        found = f"a value is not what its form says: {error or type(error).__name__}"
        raise InputError("the YAML can't be read", line=shown, found=found, do="Put the value in quotes.") from None
    finally:
        loader.dispose()


def is_nested_deep(text: str) -> bool:
    """Whether YAML or JSON is nested deeper than anybody means it."""
    depth, deepest = 0, 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match[0] in "[{" else -1
        deepest = max(deepest, depth)
    if deepest <= _DEEPEST and not _NESTED.search(text):
        return False
    depth = 0  # brackets may stand in texts: the events know
    try:
        for event in yaml.parse(text, _BASE):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return True
    except yaml.YAMLError:
        pass  # it is told by whoever reads it as a whole
    return False


def _check(root: yaml.Node, shown: str) -> None:
    """Refuse what PyYAML takes silently or explains badly: repeated keys, tags, anchors in a circle or without end."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        """How many values it stands for, with each alias counted as what it repeats; 0 while it is being counted."""
        if id(node) in sizes:
            if not sizes[id(node)]:
                line = f"{shown}:{node.start_mark.line + 1}"
                raise InputError("the YAML anchor contains itself", line=line, do="Write the value out instead of '*'.")
            return sizes[id(node)]
        _check_node(node, shown)
        sizes[id(node)] = 0
        sizes[id(node)] = 1 + sum(map(size, _inner(node)))
        return sizes[id(node)]

    if size(root) > _LARGEST + 10 * len(sizes):
        raise InputError(f"the YAML's anchors repeat more than {_LARGEST} values", line=shown, do="Write it flatter.")


def _inner(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _check_node(node: yaml.Node, shown: str) -> None:
    here = f"{shown}:{node.start_mark.line + 1}"
    if node.tag in _VAULTS and not isinstance(node, yaml.ScalarNode):
        do = "Copy it as ansible-vault encrypt_string prints it."
        raise InputError("a !vault value is one text", line=here, do=do)
    if node.tag.startswith("!") and node.tag not in ("!", _UNSAFE, *_VAULTS):
        found = f"{node.tag} was written"
        raise InputError("YAML tags are not supported", line=here, found=found, do="Write the plain value.")
    if isinstance(node, yaml.ScalarNode):
        if not node.value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in node.value):
            raise InputError("half of a surrogate pair is no text", line=here, do="Write the letter itself.")
        if node.tag == _NUMBER and len(node.value) > _LONGEST_NUMBER:
            raise InputError("the number has thousands of digits", line=here, do="Put it in quotes if it is text.")
    elif isinstance(node, yaml.MappingNode):
        _check_keys(node, shown)


def _check_keys(node: yaml.MappingNode, shown: str) -> None:
    seen: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        number = key.start_mark.line + 1
        if (key.tag, key.value) in seen:
            raise InputError(
                f"'{key.value}' is written twice in one mapping",
                line=f"{shown}:{number}",
                found=f"The first one is in line {seen[key.tag, key.value]}",
                do="YAML would keep only the last: join them.",
            )
        seen[key.tag, key.value] = number


def _has(data: Any, path: Sequence[object]) -> bool:
    for key in path:
        known = isinstance(data, dict) and key in data
        if not known and not (isinstance(data, list) and isinstance(key, int) and 0 <= key < len(data)):
            return False
        data = data[key]
    return True


def _entries(node: yaml.Node) -> Iterator[tuple[str, _Entry]]:
    """What is in a mapping or list, by key or place. Of a key that comes twice the last one counts: merged keys ('<<')
    were put in front when the document was constructed."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, (key.start_mark, value)
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield str(place), (item.start_mark, item)


def _unreadable(error: yaml.MarkedYAMLError, shown: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    line = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
    problem = (error.problem or error.context or "not YAML").removeprefix("but ")
    kind = InputError if isinstance(error, yaml.constructor.ConstructorError) else YamlSyntaxError
    return kind("the YAML can't be read", line=line, found=problem, do=_advice(problem))


def _advice(problem: str) -> str:
    if "cannot start any token" in problem:
        return "YAML is indented with spaces, and a value that begins with @, `, % or a tab needs quotes."
    if "unhashable" in problem:
        return 'A value that begins with {{ needs quotes: "{{ name }}".'
    if "mapping values are not allowed" in problem:
        return "A value that holds ': ' needs quotes; otherwise the indentation of this line is wrong."
    if "another document" in problem or "single document" in problem:
        return "Keep one document in a file: remove the '---' that follows."
    return ""


def kind(data: Any) -> str:
    """What YAML says, for an error about it."""
    names = ((dict, "a mapping"), (list, "a list"), (type(None), "nothing"))
    return next((name for each, name in names if isinstance(data, each)), "one value")
