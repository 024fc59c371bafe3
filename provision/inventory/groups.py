"""The tree of groups and hosts that inventory files describe, with the variables written in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.errors import InputError
from provision.inventory.inifile import IniFile
from provision.inventory.layers import Layer
from provision.inventory.ranges import expand
from provision.inventory.yamlfile import Document
from provision.secret import shown
from provision.spelling import quoted, suggestion

_SECTIONS = ("hosts", "children", "vars")
# A host's name stands in files and commands too; a group's only in patterns and in names of files.
_NAMES = {
    "host": (re.compile(r"[\w:][\w.:@+=~-]{0,199}"), "Use letters, digits, '.', '_', '-' and ':'."),
    "group": (re.compile(r"[^\s.~!&@/-][^\n\r/\x00-\x1f]{0,199}"), "Use letters, digits and '_'."),
}
PRIORITY = "ansible_group_priority"
_BRACKETED = re.compile(r"\[([^\[\]]+)\]:(\d{1,9})")
_WITH_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])+):(\d{1,9})")
Line = Callable[[Sequence[object]], str]


@dataclass
class Group:
    """A group while it is being read. hosts and children are its own, in the order written."""

    name: str
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    priority: int = 1


@dataclass
class Tree:
    """All groups and hosts of an inventory, in the order written; `all` and `ungrouped` always exist.

    files: where each host was first met. notes: what was left out, for a person.
    """

    groups: dict[str, Group] = field(
        default_factory=lambda: {"all": Group("all", children={"ungrouped": None}), "ungrouped": Group("ungrouped")}
    )
    hosts: dict[str, list[Layer]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _file: str = ""

    def read(self, document: Document | IniFile, file: str) -> None:
        """Add what one inventory says. file: its path, which is that of each host first met in it.

        Raises InputError, naming file and line, for what it can't mean. `notes` tells what Ansible leaves out too.
        """
        self._file = file
        if isinstance(document, IniFile):
            self._read_ini(document)
            return
        for name, body in _mapping(document, ()).items():
            if isinstance(name, str) and body is not None and not isinstance(body, Mapping):
                self._note(document.line((name,)), f"{quoted(name)} is no group, because it has no mapping")
            else:
                self._read_group(document, (name,), name, body, ())

    def finish(self) -> None:
        """Give the groups that nobody mentions as children to `all`, and the other hosts to `ungrouped`."""
        everything = self.groups["all"]
        nested = {child for group in self.groups.values() for child in group.children}
        for name in self.groups:
            if name not in nested and name not in ("all", "ungrouped"):
                everything.children[name] = None
        grouped = {h for g in self.groups.values() if g.name not in ("all", "ungrouped") for h in g.hosts}
        loose = self.groups["ungrouped"].hosts
        for host in self.hosts:
            if host in grouped:
                loose.pop(host, None)
            else:
                loose[host] = None

    def members(self, name: str) -> tuple[str, ...]:
        """The hosts of a group, then those of its children, then those of their children, each as written there."""
        return tuple(dict.fromkeys(host for group in self._below(name) for host in self.groups[group].hosts))

    def precedence(self) -> tuple[str, ...]:
        """Groups from weakest to strongest: by distance from `all`, then ansible_group_priority, then name."""
        depth = self._depths()
        return tuple(sorted(self.groups, key=lambda name: (depth[name], self.groups[name].priority, name)))

    def _below(self, name: str) -> Iterator[str]:
        seen: dict[str, None] = {}
        waiting = [name]
        while waiting:
            group = waiting.pop(0)
            if group not in seen:
                seen[group] = None
                waiting.extend(self.groups[group].children)
        return iter(seen)

    def _depths(self) -> dict[str, int]:
        depth = dict.fromkeys(self.groups, 0)
        level = {"all"}
        number = 0
        while level:
            depth.update(dict.fromkeys(level, number))
            number += 1
            level = {child for name in level for child in self.groups[name].children}
        return depth

    def _read_group(
        self, document: Document, path: tuple[Any, ...], name: Any, body: Any, above: Sequence[str]
    ) -> None:
        if not isinstance(name, str):
            raise InputError(
                f"the group name {name!r} is not text", line=document.nearest_line(path), do="Put it in quotes."
            )
        _check_name("group", name, document.nearest_line(path))
        if name in above:
            raise InputError(
                f"the group '{name}' is inside itself",
                line=document.nearest_line(path),
                found=" → ".join((*above, name)),
            )
        group = self.groups.setdefault(name, Group(name))
        if above:
            self._adopt(above[-1], name, document.nearest_line(path))
        for section in _mapping(document, path, body):
            here = (*path, section)
            if section not in _SECTIONS:
                self._skip(name, str(section), body[section], document.nearest_line(here))
                continue
            content = body[section]
            names = {content: None} if isinstance(content, str) else _mapping(document, here, content)
            if section == "vars":
                self._set_group_vars(group, names, _lines(document, here))
            else:
                for entry, inner in names.items():
                    at = here if isinstance(content, str) else (*here, entry)
                    if section == "children":
                        self._read_group(document, at, entry, inner, (*above, name))
                    else:
                        self._read_host(group, document, at, entry, inner)

    def _skip(self, group: str, section: str, content: Any, line: str) -> None:
        near = suggestion(section, _SECTIONS) if isinstance(content, Mapping) else ""
        if near:  # what holds a text or a number was not meant to hold names
            raise InputError(f"the group '{group}' has no part {quoted(section)}", line=line, do=near)
        self._note(line, f"the group '{group}' has hosts, children and vars, and no part {quoted(section)}")

    def _note(self, line: str, what: str) -> None:
        self.notes.append(f"{line}: {what}: it is ignored, as in Ansible")

    def _read_ini(self, file: IniFile) -> None:
        declared = {section.group for section in file.sections if section.kind != "vars"} | self.groups.keys()
        # a child that is declared further down becomes one there, as in Ansible: so its parent's hosts are ordered
        waiting: dict[str, list[tuple[str, str]]] = {}
        for section in file.sections:
            if section.group not in declared:
                raise InputError(
                    f"[{section.group}:vars] is for a group that is not in the inventory",
                    line=section.line,
                    do=suggestion(section.group, declared) or f"Add [{section.group}].",
                )
            _check_name("group", section.group, section.line)
            group = self.groups.setdefault(section.group, Group(section.group))
            for parent, line in waiting.pop(group.name, ()) if section.kind != "vars" else ():
                self._adopt(parent, group.name, line)
            for entry in section.entries:
                if section.kind == "hosts":
                    self._add_hosts(group, entry.name, entry.line, entry.values, _same_line(entry.line))
                elif section.kind == "vars":
                    self._set_group_vars(group, entry.values, _same_line(entry.line))
                elif entry.name in self.groups:
                    self._adopt(group.name, entry.name, entry.line)
                elif entry.name in declared:
                    waiting.setdefault(entry.name, []).append((group.name, entry.line))
                else:
                    raise InputError(
                        f"[{group.name}:children] names {quoted(entry.name)}, which is no group of the inventory",
                        line=entry.line,
                        do=suggestion(entry.name, declared) or f"Add [{entry.name}].",
                    )

    def _adopt(self, parent: str, child: str, line: str) -> None:
        if child == "all" or parent in self._below(child):
            raise InputError(f"the group '{child}' is inside itself, by way of '{parent}'", line=line)
        self.groups[parent].children[child] = None

    def _set_group_vars(self, group: Group, values: Mapping[str, Any], line: Line) -> None:
        _check_variables(values, line)
        if PRIORITY in values:
            try:
                group.priority = int(values[PRIORITY])
            except (TypeError, ValueError, OverflowError):
                raise InputError(f"{PRIORITY} is not a whole number", line=line((PRIORITY,))) from None
            values = {name: value for name, value in values.items() if name != PRIORITY}
        group.layers.append(Layer(values, line))

    def _read_host(self, group: Group, document: Document, path: tuple[Any, ...], entry: Any, body: Any) -> None:
        line = document.nearest_line(path)
        if not isinstance(entry, str):
            raise InputError(f"the host name {entry!r} is not text", line=line, do="Put it in quotes.")
        values = _mapping(document, path, body or None)  # in Ansible an empty list serves too
        self._add_hosts(group, entry, line, values, _lines(document, path))

    def _add_hosts(self, group: Group, entry: str, line: str, values: Mapping[str, Any], lines: Line) -> None:
        """The hosts that a pattern stands for, with a port after ':' and variables. line: where the pattern is."""
        _check_variables(values, lines)
        pattern, port = _split_port(entry)
        for host in expand(pattern, line):
            if host not in self.hosts:
                _check_name("host", host, line)
                # a port counts where the host is met first, as in Ansible
                self.hosts[host] = [Layer({"ansible_port": port}, _same_line(line))] if port else []
                self.files[host] = self._file
            group.hosts[host] = None
            if values:
                self.hosts[host].append(Layer(values, lines))


def _check_name(what: str, name: str, line: str) -> None:
    """Names become parts of files and patterns: raises InputError for one that could be more than a name there."""
    allowed, do = _NAMES[what]
    if not allowed.fullmatch(name):
        raise InputError(f"the {what} name {quoted(name)} can't be used", line=line, do=do)


def _check_variables(values: Mapping[Any, Any], line: Line) -> None:
    for name in values:
        if not isinstance(name, str):
            at = line((name,)) or line(())
            raise InputError(f"the variable name {name!r} is not text", line=at, do="Put it in quotes.")


def _split_port(name: str) -> tuple[str, int | None]:
    """`web[1:3]:2222` and `[2001:db8::1]:22` apart from their port; an IPv6 address needs brackets for one."""
    if match := _BRACKETED.fullmatch(name):
        return match[1], int(match[2])
    if match := _WITH_PORT.fullmatch(name):
        return match[1], int(match[2])
    return name, None


def _lines(document: Document, prefix: tuple[Any, ...]) -> Line:
    return lambda path: document.line((*prefix, *path))


def _same_line(line: str) -> Line:
    return lambda _: line


def _mapping(document: Document, path: tuple[Any, ...], body: Any = ...) -> Mapping[Any, Any]:
    """The mapping at `path`; an empty one for nothing. Raises InputError for anything else."""
    value = document.data if body is ... else body
    if isinstance(value, Mapping):
        return value
    if not value and not isinstance(value, list):  # as in Ansible
        return {}
    raise InputError(
        f"{quoted(path[-1])} must hold names, each followed by ':'" if path else "an inventory holds groups",
        line=document.nearest_line(path),
        found=f"{_kind(value)} was written",
        do="Write 'hdss7-21:' where '- hdss7-21' stands." if isinstance(value, list) else "",
    )


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else quoted(shown(value))
