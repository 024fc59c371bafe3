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
from provision.spelling import suggestion

_SECTIONS = ("hosts", "children", "vars")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
PRIORITY = "ansible_group_priority"
_BRACKETED = re.compile(r"\[([^\[\]]+)\]:(\d+)")
_WITH_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])+):(\d+)")
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
    """All groups and hosts of an inventory, in the order written; `all` and `ungrouped` always exist."""

    groups: dict[str, Group] = field(default_factory=lambda: {"all": Group("all"), "ungrouped": Group("ungrouped")})
    hosts: dict[str, list[Layer]] = field(default_factory=dict)

    def read(self, document: Document | IniFile) -> None:
        """Add what one inventory file says. Raises InputError, naming file and line, for what it can't mean."""
        if isinstance(document, IniFile):
            self._read_ini(document)
            return
        for name, body in _mapping(document, ()).items():
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
        everything.children["ungrouped"] = None
        for host in self.hosts:
            if host in grouped:
                loose.pop(host, None)
            else:
                loose[host] = None

    def members(self, name: str) -> tuple[str, ...]:
        """The hosts of a group, then those of its children, as written there; of `all`, in inventory order."""
        if name == "all":
            return tuple(self.hosts)
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
            raise InputError(f"the group name {name!r} is not text", line=document.line(path), do="Put it in quotes.")
        _check_name("group", name, document.line(path))
        if name in above:
            raise InputError(
                f"the group '{name}' is inside itself",
                line=document.line(path),
                found=" → ".join((*above, name)),
            )
        group = self.groups.setdefault(name, Group(name))
        if above:
            self._adopt(above[-1], name, document.line(path))
        for section in _mapping(document, path, body):
            if section not in _SECTIONS:
                raise InputError(
                    f"the group '{name}' has no part '{section}'",
                    line=document.line((*path, section)),
                    do=suggestion(str(section), _SECTIONS) or "A group has hosts, children and vars.",
                )
            here = (*path, section)
            content = body[section]
            if section == "vars":
                self._set_group_vars(group, _mapping(document, here, content), _lines(document, here))
            else:
                names = {content: None} if isinstance(content, str) else _mapping(document, here, content)
                for entry, inner in names.items():
                    if section == "children":
                        self._read_group(document, (*here, entry), entry, inner, (*above, name))
                    else:
                        self._read_host(group, document, (*here, entry), entry, inner)

    def _read_ini(self, file: IniFile) -> None:
        declared = {section.group for section in file.sections if section.kind != "vars"} | self.groups.keys()
        for section in file.sections:
            if section.group not in declared:
                raise InputError(
                    f"[{section.group}:vars] is for a group that is not in the inventory",
                    line=section.line,
                    do=suggestion(section.group, declared) or f"Add [{section.group}].",
                )
            group = self.groups.setdefault(section.group, Group(section.group))
            for entry in section.entries:
                match section.kind:
                    case "hosts":
                        self._add_hosts(group, entry.name, entry.line, entry.values, _same_line(entry.line))
                    case "vars":
                        self._set_group_vars(group, entry.values, _same_line(entry.line))
                    case "children":
                        if entry.name not in declared:
                            raise InputError(
                                f"[{group.name}:children] names '{entry.name}', which is no group of the inventory",
                                line=entry.line,
                                do=suggestion(entry.name, declared) or f"Add [{entry.name}].",
                            )
                        self.groups.setdefault(entry.name, Group(entry.name))
                        self._adopt(group.name, entry.name, entry.line)

    def _adopt(self, parent: str, child: str, line: str) -> None:
        if child == "all" or parent in self._below(child):
            raise InputError(f"the group '{child}' is inside itself, by way of '{parent}'", line=line)
        self.groups[parent].children[child] = None

    def _set_group_vars(self, group: Group, values: Mapping[str, Any], line: Line) -> None:
        if PRIORITY in values:
            try:
                group.priority = int(values[PRIORITY])
            except (TypeError, ValueError):
                raise InputError(f"{PRIORITY} is not a whole number", line=line((PRIORITY,))) from None
        group.layers.append(Layer(values, line))

    def _read_host(self, group: Group, document: Document, path: tuple[Any, ...], entry: Any, body: Any) -> None:
        line = document.line(path)
        if not isinstance(entry, str):
            raise InputError(f"the host name {entry!r} is not text", line=line, do="Put it in quotes.")
        self._add_hosts(group, entry, line, _mapping(document, path, body), _lines(document, path))

    def _add_hosts(self, group: Group, entry: str, line: str, values: Mapping[str, Any], lines: Line) -> None:
        """The hosts that a pattern stands for, with a port after ':' and variables. line: where the pattern is."""
        pattern, port = _split_port(entry)
        for host in expand(pattern, line):
            _check_name("host", host, line)
            layers = self.hosts.setdefault(host, [])
            group.hosts[host] = None
            if port:
                layers.append(Layer({"ansible_port": port}, _same_line(line)))
            if values:
                layers.append(Layer(values, lines))


def _check_name(what: str, name: str, line: str) -> None:
    """Names become parts of files and patterns: raises InputError for one that could be more than a name there."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"the {what} name {name!r} can't be used", line=line, do="Use letters, digits, '.', '_', '-' and ':'."
        )


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
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise InputError(
        f"'{path[-1]}' must hold names, each followed by ':'" if path else "an inventory holds groups",
        line=document.line(path),
        found=f"{_kind(value)} was written",
        do="Write 'hdss7-21:' where '- hdss7-21' stands." if isinstance(value, list) else "",
    )


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else f"'{shown(value)}'"
