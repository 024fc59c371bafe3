"""An inventory on disk: hosts.yml with group_vars/ and host_vars/ beside it, as Ansible lays it out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provision.errors import InputError
from provision.inventory.layers import Layer
from provision.inventory.vault import Vault
from provision.inventory.yamlfile import Document, read
from provision.spelling import listed

_YAML = (".yml", ".yaml", ".json")
_INI_SECTION = re.compile(r"^\[[\w.:-]+\]\s*$", re.MULTILINE)
_DO_YAML = "Write it as YAML: `ansible-inventory -i FILE --list --yaml` converts it."


@dataclass(frozen=True)
class Source:
    """One `--inventory`. directory: where group_vars/ and host_vars/ are; documents: its inventory files.

    show: a path as a person in the current folder reads it. vault: opens what is encrypted.
    """

    directory: Path
    documents: tuple[Document, ...]
    show: Callable[[Path], str]
    vault: Vault

    @property
    def shown(self) -> str:
        """Its files as a person reads them."""
        return listed(document.shown for document in self.documents)

    def variables(self, kind: str, name: str) -> tuple[Layer, ...]:
        """What `kind` ('group_vars' or 'host_vars') says of `name`, weakest first; () when it says nothing."""
        documents = (read(path, self.show(path), self.vault) for path in self._files(self.directory / kind, name))
        return tuple(Layer(_names(document), document.line) for document in documents if document.data is not None)

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


def open_source(path: Path, show: Callable[[Path], str], vault: Vault) -> Source:
    """The inventory at `path`, a folder or a YAML file. Raises InputError for everything that is neither."""
    if not path.exists():
        raise _absent(path, show)
    if path.is_file():
        return Source(path.parent, (_inventory(path, show, vault),), show, vault)
    documents = tuple(_inventory(file, show, vault) for file in _inventory_files(path, show))
    return Source(path, documents, show, vault)


def _inventory_files(directory: Path, show: Callable[[Path], str]) -> tuple[Path, ...]:
    """Every YAML file at the top of the folder, by name: Ansible reads them all."""
    found = []
    for path in sorted(directory.iterdir()):
        if path.suffix in _YAML and not _skipped(path):
            found.append(path)
        elif path.is_file() and (path.stem == "hosts" or path.suffix in (".ini", ".py", ".sh")) and not _skipped(path):
            _refuse(path, show)
    if not found:
        raise InputError(
            f"there is no hosts.yml in {show(directory)}",
            do="Copy inventory/hdss7 and edit it, or name another folder.",
        )
    return tuple(found)


def _refuse(path: Path, show: Callable[[Path], str]) -> None:
    if _is_program(path):
        raise InputError("dynamic inventories (programs) are not supported", line=show(path), do=_DO_YAML)
    raise InputError("INI inventories are not supported", line=show(path), do=_DO_YAML)


def _inventory(path: Path, show: Callable[[Path], str], vault: Vault) -> Document:
    shown = show(path)
    if _is_program(path):
        _refuse(path, show)
    try:
        document = read(path, shown, vault)
    except InputError:
        if path.is_file() and _INI_SECTION.search(path.read_text(errors="replace")):
            _refuse(path, show)
        raise
    if isinstance(document.data, (str, list)) and _INI_SECTION.search(path.read_text(errors="replace")):
        _refuse(path, show)
    if isinstance(document.data, dict) and "plugin" in document.data:
        raise InputError(
            "inventory plugins are not supported",
            line=document.line(("plugin",)),
            found=f"plugin: {document.data['plugin']}",
            do=_DO_YAML,
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


def _absent(path: Path, show: Callable[[Path], str]) -> InputError:
    if "," in path.name:
        return InputError(
            f"the host list '{path.name}' is not an inventory",
            do="Write the hosts into a hosts.yml and name its folder.",
        )
    return InputError(f"there is no inventory at {show(path)}", do="Name a folder with a hosts.yml, or a YAML file.")
