"""Inventory sources: a YAML or INI file, a folder of them, or `h1,h2,`; with group_vars/ and host_vars/ beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from provision.errors import InputError
from provision.inventory import inifile
from provision.inventory.inifile import IniFile, host_list
from provision.inventory.layers import Layer
from provision.inventory.vault import HEADER, Vault
from provision.inventory.yamlfile import Document, parse, read, read_text
from provision.spelling import listed

_YAML = (".yml", ".yaml", ".json")
_DO_EXPORT = "Write down what it gives: ansible-inventory -i SOURCE --list --export --yaml >hosts.yml"


@dataclass(frozen=True)
class Source:
    """One `--inventory`, whose files are read once.

    path: as it was given. directory: where group_vars/ and host_vars/ are. documents: its inventory files.
    show: a path as a person in the current folder reads it. vault: opens what is encrypted.
    """

    path: Path
    directory: Path
    documents: tuple[Document | IniFile, ...]
    show: Callable[[Path], str]
    vault: Vault
    _read: dict[Path, Document] = field(default_factory=dict, repr=False, compare=False)

    @property
    def shown(self) -> str:
        """Its files as a person reads them."""
        return listed(document.shown for document in self.documents)

    def variables(self, kind: str, name: str) -> tuple[Layer, ...]:
        """What `kind` ('group_vars' or 'host_vars') says of `name`, weakest first; () when it says nothing."""
        documents = (self._document(path) for path in self._files(self.directory / kind, name))
        return tuple(Layer(_names(document), document.line) for document in documents if document.data is not None)

    def _document(self, path: Path) -> Document:
        if path not in self._read:
            self._read[path] = read(path, self.show(path), self.vault)
        return self._read[path]

    def strangers(self, kind: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Names that `kind` has a file for and that are not `known`, each with the file."""
        for path in sorted((self.directory / kind).glob("*")):
            name = path.stem if path.suffix in _YAML else path.name
            if not _skipped(path) and name not in known and path.name not in known:
                yield name, self.show(path)

    def _files(self, directory: Path, name: str) -> tuple[Path, ...]:
        found = [path for path in (directory / f"{name}{end}" for end in ("", *_YAML)) if path.exists()]
        if len(found) > 1:
            raise InputError(
                f"the variables of '{name}' are in more than one place",
                found=listed(self.show(path) for path in found),
                do="Ansible would read only the first: join them, or make files of one folder.",
            )
        return tuple(file for path in found for file in (_inside(path) if path.is_dir() else (path,)))


def shown_from(here: Path, path: Path) -> str:
    """A path as a person in the folder `here` reads it."""
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def open_source(given: Path, here: Path, vault: Vault) -> Source:
    """The inventory that was given: a file, a folder, or the list of hosts that stands for one. Raises InputError.

    here: the current folder. vault: opens what is encrypted.
    """
    show = partial(shown_from, here)
    path = Path(os.path.normpath(here / given.expanduser()))
    if not path.exists():
        if "," in path.name:
            return Source(given, path / "no files", (host_list(path.name, "--inventory"),), show, vault)
        raise InputError(f"there is no inventory at {show(path)}", do="Name a folder, or a YAML or INI file.")
    if path.is_file():
        return Source(given, path.parent, (_inventory(path, show, vault),), show, vault)
    documents = tuple(_inventory(file, show, vault) for file in _inventory_files(path))
    if not documents:
        raise InputError(
            f"there is no inventory file in {show(path)}",
            do="Copy inventory/hdss7 and edit it, or name another folder.",
        )
    return Source(given, path, documents, show, vault)


def _inventory_files(directory: Path) -> Iterator[Path]:
    """The inventories at the top of the folder, in Ansible's order, by name: YAML, INI, programs; no other files."""
    for path in sorted(directory.iterdir()):
        if path.is_file() and not _skipped(path):
            named = path.suffix in (*_YAML, ".ini", ".toml") or path.stem == "hosts"
            if named or _is_program(path) or (not path.suffix and _has_section(path)):
                yield path


def _has_section(path: Path) -> bool:
    return inifile.has_section(path.read_text(encoding="utf-8", errors="replace"))


def _inventory(path: Path, show: Callable[[Path], str], vault: Vault) -> Document | IniFile:
    """YAML where the name allows it and the text is a mapping, else INI: the order in which Ansible tries them."""
    shown = show(path)
    if _is_program(path):
        raise InputError("inventory programs are not supported", line=shown, do=_DO_EXPORT)
    if path.suffix == ".toml":
        raise InputError("TOML inventories are not supported", line=shown, do=_DO_EXPORT)
    text = read_text(path, shown)
    if path.suffix in ("", *_YAML):
        try:
            document = parse(text, shown, vault)
        except InputError:
            if not inifile.has_section(text):
                raise
        else:
            if isinstance(document.data, dict):
                return _no_plugin(document)
            if document.data is not None and path.suffix in _YAML and not inifile.has_section(text):
                return document  # the tree says what is wrong with it
    return inifile.parse(_opened(text, shown, vault), shown)


def _opened(text: str, shown: str, vault: Vault) -> str:
    return str(vault.seal(text, shown).open()) if text.startswith(HEADER) else text


def _no_plugin(document: Document) -> Document:
    if "plugin" in document.data:
        raise InputError(
            "inventory plugins are not supported",
            line=document.line(("plugin",)),
            found=f"plugin: {document.data['plugin']}",
            do=_DO_EXPORT,
        )
    return document


def _is_program(path: Path) -> bool:
    if not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _inside(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if _skipped(path):
            continue
        if path.is_dir():
            yield from _inside(path)
        elif path.suffix in ("", *_YAML):
            yield path


def _skipped(path: Path) -> bool:
    return path.name.startswith(".") or path.name.endswith("~")


def _names(document: Document) -> dict[str, object]:
    if not isinstance(document.data, dict):
        raise InputError("a file of variables holds names with values", line=document.line())
    for name in document.data:
        if not isinstance(name, str):
            raise InputError(f"the variable name {name!r} is not text", line=document.line((name,)))
    return document.data
