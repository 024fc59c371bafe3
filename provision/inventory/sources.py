"""Inventory sources: a file, a folder of files, or `h1,h2,`; with group_vars/ and host_vars/ beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from pathlib import Path

from provision.errors import InputError
from provision.home import expanded
from provision.inventory.files import YAML, NoInventoryError, Reader, listing, within
from provision.inventory.inifile import IniFile, host_list
from provision.inventory.layers import Layer
from provision.inventory.lookalikes import is_manifest, is_pem
from provision.inventory.vault import Vault
from provision.inventory.yamlfile import Document, read
from provision.spelling import listed, quoted

_DO_NAME = "Name a folder, or a YAML or INI file. Hosts without a file are written with a comma: --inventory 'h1,'."
_MOST_SIBLINGS = 500  # an inventory may lie in a folder with anything else beside it


@dataclass(frozen=True)
class InventoryFile:
    """A file that was read. path: as Ansible's `inventory_file` has it."""

    path: str
    content: Document | IniFile


@dataclass(frozen=True)
class VariableFiles:
    """The folders group_vars/ and host_vars/ in `directory`, each file read once.

    show: a path as a person in the current folder reads it. vault: opens what is encrypted.
    """

    directory: Path
    show: Callable[[Path], str]
    vault: Vault
    notes: list[str] = field(default_factory=list, repr=False, compare=False)
    _read: dict[Path, Document] = field(default_factory=dict, repr=False, compare=False)
    _listed: dict[str, dict[str, Path]] = field(default_factory=dict, repr=False, compare=False)

    def variables(self, kind: str, name: str) -> tuple[Layer, ...]:
        """What `kind` ('group_vars' or 'host_vars') says of `name`, weakest first; () when it says nothing."""
        documents = (self._document(path) for path in self._files(kind, name))
        return tuple(Layer(_names(document), document.line) for document in documents if document.data)

    def strangers(self, kind: str, known: Collection[str]) -> Iterator[tuple[str, str]]:
        """Names that `kind` has a file for and that are not `known`, each with the file."""
        for path in self._entries(kind).values():
            name = path.stem if path.suffix in YAML else path.name
            if not _skipped(path.name) and name not in known and path.name not in known and _holds(path):
                yield name, self.show(path)

    def _document(self, path: Path) -> Document:
        if path not in self._read:
            self._read[path] = read(path, self.show(path), self.vault)
        return self._read[path]

    def _entries(self, kind: str) -> dict[str, Path]:
        if kind not in self._listed:
            folder = self.directory / kind
            self._listed[kind] = {path.name: path for path in self._listed_in(folder)} if folder.is_dir() else {}
        return self._listed[kind]

    def _files(self, kind: str, name: str) -> Iterator[Path]:
        entries = self._entries(kind)
        found = [entries[f"{name}{end}"] for end in ("", *YAML) if f"{name}{end}" in entries]
        if len(found) > 1:
            rest = listed(self.show(path) for path in found[1:])
            note = f"{rest}: ignored beside {self.show(found[0])}, as in Ansible: only the first of them is read"
            self._note(note)
        for path in found[:1]:
            yield from self._inside(path) if path.is_dir() else (path,)

    def _inside(self, directory: Path) -> Iterator[Path]:
        for path in self._listed_in(directory):
            end = os.path.splitext(path.name)[1]
            if _skipped(path.name):
                continue
            if path.is_dir():
                if not end:
                    yield from self._inside(path)
            elif end in ("", *YAML):
                yield path

    def _listed_in(self, directory: Path) -> Iterator[Path]:
        for path in listing(directory):
            if path.is_symlink() and not os.path.exists(path):
                self._note(f"{self.show(path)}: ignored, as in Ansible: it is a link that leads nowhere")
            else:
                yield path

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


@dataclass(frozen=True)
class Source:
    """One `--inventory`, whose files are read once.

    path: as it was given. directory: where group_vars/ and host_vars/ are. files: its inventory files.
    notes: what was left out, for a person.
    """

    path: Path
    directory: Path
    files: tuple[InventoryFile, ...]
    variables: VariableFiles
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Its files as a person reads them."""
        return listed(file.content.shown for file in self.files)

    @cached_property
    def _siblings(self) -> str:
        """The text of what beside it may be an inventory too, as far as it can be read."""
        files = islice(within(self.directory, partial=True), _MOST_SIBLINGS) if self.directory.is_dir() else ()
        return "\n".join(map(_beginning, files))

    def mentions(self, name: str) -> bool:
        """Whether an inventory beside it may have a group or a host of that name: they share group_vars/."""
        return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", self._siblings))


def shown_from(here: Path, path: Path) -> str:
    """A path as a person in the folder `here` reads it."""
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def open_source(given: Path, here: Path, vault: Vault, *, programs: bool = False) -> Source:
    """The inventory that was given: a file, a folder, or the list of hosts that stands for one. Raises InputError.

    here: the current folder. vault: opens what is encrypted. programs: run those that are executables.
    """
    show = partial(shown_from, here)
    path = Path(os.path.normpath(here / expanded(given)))
    if not os.path.exists(path):
        if "," in str(given):
            _check_no_files(str(given), here)
            listed_hosts = InventoryFile(str(given), host_list(str(given), "--inventory"))
            return Source(given, path / "no files", (listed_hosts,), VariableFiles(path / "no files", show, vault))
        raise InputError(f"there is no inventory at {show(path)}", do=_DO_NAME)
    reader = Reader(show, vault, programs)
    if not path.is_dir():
        only = InventoryFile(str(path), reader.read(path))
        return Source(given, path.parent, (only,), VariableFiles(path.parent, show, vault))
    files, notes = _folder(path, reader)
    if not files:
        raise InputError(
            f"there is no inventory file in {show(path)}",
            found=" ".join(notes),
            do="Copy inventory/hdss7 and edit it, or name another folder.",
        )
    return Source(given, path, files, VariableFiles(path, show, vault), notes)


def _check_no_files(given: str, here: Path) -> None:
    """Raise InputError for `a.yml,b.yml`: in Ansible, too, that would be two hosts."""
    for part in filter(None, map(str.strip, given.split(","))):
        if ("/" in part or Path(part).suffix in YAML) and (here / expanded(part)).exists():
            do = "Repeat --inventory for each file or folder."
            raise InputError(f"--inventory {quoted(given)} is a list of hosts", found=f"{part} is a file", do=do)


def _folder(folder: Path, reader: Reader) -> tuple[tuple[InventoryFile, ...], tuple[str, ...]]:
    """The inventories of a folder, and what is left out because Ansible would take nothing from it either."""
    files, notes = [], []
    for path in within(folder):
        beginning = _beginning(path)
        if is_manifest(beginning) or is_pem(beginning):
            continue  # of an application, or a certificate and its key, which settings name
        try:
            files.append(InventoryFile(str(path), reader.read(path)))
        except NoInventoryError as error:
            notes.append(f"{reader.show(path)} is no inventory and is ignored, as in Ansible. {error.but(do='')}")
        except InputError as error:
            aside = f"If it is no inventory, move it out of {reader.show(folder)}"
            raise error.but(do=f"{error.explanation.do} {aside}.".strip()) from None
    return tuple(files), tuple(notes)


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(1_000_000).decode(errors="replace")
    except OSError:
        return ""  # whoever names it as an inventory gets the error


def _holds(path: Path) -> bool:
    """Whether it may have been meant to hold variables: web.md and web.yml.example were not."""
    return path.suffix in ("", *YAML) or path.is_dir()


def _skipped(name: str) -> bool:
    return name.startswith(".") or name.endswith("~")


def _names(document: Document) -> dict[str, object]:
    if not isinstance(document.data, dict):
        raise InputError("a file of variables holds names with values", line=document.line())
    for name in document.data:
        if not isinstance(name, str):
            line = document.line((name,)) or document.line()
            raise InputError(f"the variable name {name!r} is not text", line=line, do="Put it in quotes.")
    return document.data
