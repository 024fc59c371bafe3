"""YAML read together with where each value stands, so that an error can name file and line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from provision.errors import InputError
from provision.inventory.vault import HEADER, Sealed, Vault
from provision.secret import secret

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_VAULT = "!vault"


class _Loader(_BASE):  # type: ignore[misc]  # which of the two loaders there is, only PyYAML's build knows
    """Knows one tag more than YAML itself: `!vault`."""

    def __init__(self, text: str, shown: str, vault: Vault) -> None:
        super().__init__(text)
        self.shown = shown
        self.vault = vault

    def sealed(self, node: yaml.ScalarNode) -> Sealed:
        """An encrypted value, left closed."""
        return self.vault.seal(node.value, f"{self.shown}:{node.start_mark.line + 1}")


_Loader.add_constructor(_VAULT, _Loader.sealed)


@dataclass(frozen=True)
class Document:
    """One YAML text. data: what it says, as plain Python; shown: the file's name as a person reads it."""

    data: Any
    shown: str
    root: yaml.Node | None = field(repr=False, compare=False, default=None)

    def line(self, path: Sequence[object] = ()) -> str:
        """`file:line` of the value at `path` (mapping keys and list indexes), "" if there is none."""
        node, mark = self.root, self.root.start_mark if self.root else None
        for key in path:
            entry = _child(node, str(key))
            if entry is None:
                return ""
            mark, node = entry
        return f"{self.shown}:{mark.line + 1}" if mark else self.shown

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
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {shown}", found=error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise InputError(
            "cannot read the file",
            line=shown,
            found=f"byte {error.start} is not UTF-8",
            do="Save it as UTF-8.",
        ) from None


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
        raise InputError(error.explanation.what, line=error.explanation.line, do=error.explanation.do) from None
    return Document(secret(document.data), shown, document.root)


def _parse(text: str, shown: str, vault: Vault) -> Document:
    loader = _Loader(text, shown, vault)
    try:
        root = loader.get_single_node()
        if root is None:
            return Document(None, shown)
        _check(root, shown)
        return Document(loader.construct_document(root), shown, root)
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error, shown) from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError("the YAML can't be read", line=shown, found=str(error).replace("\n", " ")) from None
    finally:
        loader.dispose()


def _check(node: yaml.Node, shown: str, inside: tuple[int, ...] = ()) -> None:
    """Refuse what PyYAML takes silently or explains badly: repeated keys, tags, self-containing anchors."""
    here = f"{shown}:{node.start_mark.line + 1}"
    if id(node) in inside:
        raise InputError("the YAML anchor contains itself", line=here, do="Write the value out instead of '*name'.")
    if node.tag == _VAULT and not isinstance(node, yaml.ScalarNode):
        raise InputError(
            "a !vault value is one text", line=here, do="Copy it as ansible-vault encrypt_string prints it."
        )
    if node.tag.startswith("!") and node.tag not in ("!", _VAULT):
        raise InputError(
            "YAML tags are not supported",
            line=here,
            found=f"{node.tag} was written",
            do="Write the plain value.",
        )
    inside = (*inside, id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check(item, shown, inside)
    elif isinstance(node, yaml.MappingNode):
        _check_keys(node, shown)
        for _, value in node.value:
            _check(value, shown, inside)


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


def _child(node: yaml.Node | None, key: str) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        # Merged keys ('<<') were put in front when the document was constructed: the last one wins.
        for name, value in reversed(node.value):
            if name.value == key:
                return name.start_mark, value
    if isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        item = node.value[int(key)]
        return item.start_mark, item
    return None


def _unreadable(error: yaml.MarkedYAMLError, shown: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    line = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
    problem = (error.problem or error.context or "not YAML").removeprefix("but ")
    return InputError("the YAML can't be read", line=line, found=problem, do=_advice(problem))


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
