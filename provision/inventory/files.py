"""Inventory files: which files of a folder are some, and what one of them is: YAML, INI, or the output of a program."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provision.errors import InputError
from provision.inventory import inifile, lookalikes, programs
from provision.inventory.inifile import FirstLineError, IniFile
from provision.inventory.vault import HEADER, Vault
from provision.inventory.yamlfile import Document, YamlSyntaxError, kind, parse, read_text
from provision.spelling import quoted

YAML = (".yml", ".yaml", ".json")
# Ansible's defaults, read in its source: DEFAULT_INVENTORY_IGNORE_EXTS and what its inventory manager always leaves out
_IGNORED = re.compile(
    r"^\.|^(?:host_vars|group_vars|vars_plugins)$|(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)|~)$"
)
_EXPORT = "ansible-inventory -i SOURCE --list --export --yaml >hosts.yml"
_DO_EXPORT = f"Write down what it gives: {_EXPORT}"


_FORMS = "An inventory has groups of hosts: 'edge: {hosts: {hdss7-11: }}' in YAML, [edge] and below it hdss7-11 in INI."


class NoInventoryError(InputError):
    """Ansible takes nothing from this file either, and nothing says that it was meant as an inventory."""


@dataclass(frozen=True)
class Reader:
    """How inventory files are read. show: a path as a person reads it. programs: whether executables are run."""

    show: Callable[[Path], str]
    vault: Vault
    programs: bool = False

    def read(self, path: Path) -> Document | IniFile:
        """One file, as Ansible tries them: a program, then YAML where its name allows that, then INI.

        Raises InputError for what it can't be, and for a program, a plugin and TOML, with the way out.
        """
        shown = self.show(path)
        if is_program(path):
            if self.programs:
                return programs.run(path, shown, self.vault)
            do = f"Run it with --run-inventory-programs, or write down what it gives: {_EXPORT}"
            raise InputError("an inventory program is not run unasked", line=shown, do=do)
        if path.suffix == ".toml":
            raise InputError("TOML inventories are not supported", line=shown, do=_DO_EXPORT)
        try:
            return self._text(path, shown)
        except InputError as error:
            other = lookalikes.by_name(path) or lookalikes.by_beginning(_head(path))
            if not other:
                raise
            raise _no_inventory(other, error.explanation.line or shown) from None

    def _text(self, path: Path, shown: str) -> Document | IniFile:
        text = read_text(path, shown)
        named = path.suffix in YAML
        if not named and path.suffix:
            return self._ini_only(text, shown)
        try:
            document = parse(text, shown, self.vault)
        except YamlSyntaxError as error:
            return self._ini_instead(text, shown, error) if named else self._ini_only(text, shown, error)
        if other := lookalikes.by_content(document.data):
            raise _no_inventory(other, document.line())
        if isinstance(document.data, dict):
            return _no_plugin(document)
        if document.data is None:
            return IniFile((), shown)
        if isinstance(document.data, str) and not named:  # as YAML it is one text, as INI lines of hosts
            return self._ini_only(text, shown)
        found = f"{kind(document.data)} was written"
        wrong = NoInventoryError("an inventory holds groups", line=document.line(), found=found, do=_FORMS)
        return self._ini_instead(text, shown, wrong)

    def _ini_instead(self, text: str, shown: str, error: InputError) -> IniFile:
        """The text as INI, and `error` where it was not meant as that."""
        try:
            return self._ini(text, shown)
        except FirstLineError:
            raise error from None

    def _ini_only(self, text: str, shown: str, error: InputError | None = None) -> IniFile:
        """The text as INI. error: why it is no YAML, where it may have been meant as that."""
        try:
            return self._ini(text, shown)
        except FirstLineError as other:
            if error and text.lstrip().startswith(("---", "{", "all:", HEADER)):
                raise error from None
            if inifile.has_section(text):
                raise
            raise NoInventoryError(**other.explanation.as_dict()) from None

    def _ini(self, text: str, shown: str) -> IniFile:
        opened = str(self.vault.seal(text, shown).open()) if text.startswith(HEADER) else text
        return inifile.parse(opened, shown)


def within(folder: Path, above: tuple[Path, ...] = (), *, partial: bool = False) -> Iterator[Path]:
    """The files of a folder and its sub-folders that Ansible would read, in its order: by name, folders among them.

    Raises InputError for a folder that can't be listed, or is inside itself; partial: leaves such a folder out.
    """
    real = folder.resolve()
    try:
        if real in above:
            raise InputError("a folder of inventories is inside itself", line=str(folder), do="Remove the link to it.")
        paths = listing(folder)
    except InputError:
        if not partial:
            raise
        return
    for path in paths:
        if _IGNORED.search(path.name):
            continue
        if path.is_dir():
            yield from within(path, (*above, real), partial=partial)
        elif path.is_file():
            yield path


def listing(folder: Path) -> list[Path]:
    """What is in a folder, by name. Raises InputError when it can't be listed."""
    try:
        return [folder / name for name in sorted(os.listdir(folder))]
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(f"cannot read {folder}", found=found, do=f"Look at it: ls -lL {folder}") from None


def is_program(path: Path) -> bool:
    """Whether it can be executed, and says by what."""
    try:
        if not os.access(path, os.X_OK) or not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(4).startswith((b"#!", b"\x7fELF"))
    except OSError:
        return False  # it is told when it is read


def _no_inventory(kind: str, line: str) -> NoInventoryError:
    return NoInventoryError("the file is no inventory", line=line, found=f"It looks like {kind}", do=_FORMS)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8192)
    except OSError:
        return b""  # it is told already


def _no_plugin(document: Document) -> Document:
    if document.data.get("plugin"):
        raise InputError(
            "inventory plugins are not supported",
            line=document.line(("plugin",)),
            found=f"It asks for the plugin {quoted(document.data['plugin'])}",
            do=_DO_EXPORT,
        )
    return document
