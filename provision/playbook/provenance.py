"""Why a resource is what it is: the variables that it depends on, found in its role's own text and in its templates.

What is read is the text, not a trace of a run: `settings.port` in the `yield` that made the resource, in what that
statement's names come from, in the functions of roles/ that it calls, and in the templates that it renders.
"""

from __future__ import annotations

import ast
import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from provision.inventory.settings import SITE
from provision.resources.base import Resource
from provision.resources.content import Rendered, Template
from provision.search_path import SearchPath

ROOTS = ("settings", SITE)
DEPTH = 3  # calls followed from the role into functions of roles/


@dataclass(frozen=True)
class Use:
    """A variable and the line where it is used. path: its keys, the role's name or 'site' first."""

    path: tuple[str, ...]
    line: str

    @property
    def name(self) -> str:
        """As the inventory spells it."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Variable:
    """A variable that something depends on. origin: the line that sets it, ''  when only the role's default does."""

    use: Use
    origin: str
    default: str

    def __str__(self) -> str:
        return f"{self.use.name} ({self.origin or f'default, {self.default}'})"


class Reading:
    """The texts in a project's folders, read as often as needed and parsed once."""

    # one at a time in the whole process: CPython 3.11 counts the depth of all trees that are being made together, and
    # two threads that parse end with "SystemError: AST constructor recursion depth mismatch" (seen with 3.11.7)
    _parsing: ClassVar = threading.Lock()

    def __init__(self, folders: SearchPath) -> None:
        self._folders = folders
        self._modules: dict[Path, ast.Module | None] = {}
        self._found: dict[tuple[str, ...], tuple[Use, ...]] = {}
        self._defaults: dict[tuple[str, ...], str] = {}
        self._reading = threading.RLock()  # hosts change side by side: what one has read, the others need not

    def uses(self, role: str, line: str, written: Resource | None) -> tuple[Use, ...]:
        """The variables that the resource declared at `line` (`roles/x.py:7`) depends on, each with its first use."""
        file, _, number = line.partition(":")
        own = rendered(written)
        found: list[Use] = []
        if number.isdigit():
            found += self._once((role, line), lambda: self._statement(role, self._folders.find(file), int(number)))
        for template in templates(written):
            found += self._template(role, template.source)
        if own:
            found += [Use(own.setting, own.source), *self._read(role, own.file, own.source, own.names)]
        first: dict[tuple[str, ...], Use] = {}
        for use in found:
            first.setdefault(use.path, use)
        # of a.b and a.b.c only the longer says something
        return tuple(u for u in first.values() if not any(p[: len(u.path)] == u.path and p != u.path for p in first))

    def _once(self, key: tuple[str, ...], read: Callable[[], Iterable[Use]]) -> tuple[Use, ...]:
        with self._reading:
            if key not in self._found:
                self._found[key] = tuple(read())
            return self._found[key]

    def default(self, path: tuple[str, ...]) -> str:
        """Where a setting's default is written: `roles/x.py:9`; '' when there is none."""
        with self._reading:
            if path not in self._defaults:
                self._defaults[path] = self._default(path)
            return self._defaults[path]

    def _default(self, path: Sequence[str]) -> str:
        name, struct = ("_site", "SiteSettings") if path[0] == SITE else (path[0], "Settings")
        file = self._folders.find(f"roles/{name}.py")
        module = self._module(file)
        for node in module.body if module and len(path) > 1 else ():
            if isinstance(node, ast.ClassDef) and node.name == struct:
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and ast.unparse(field.target) == path[1]:
                        return f"{self._folders.relative(file)}:{field.lineno}"
        return ""

    def _statement(self, role: str, file: Path, number: int) -> Iterator[Use]:
        module = self._module(file)
        function = _function_at(module, number) if module else None
        if module is None or function is None:
            return
        chain = _around(function, number)
        heads = [_head(node) for node in chain]
        yield from self._expressions(role, file, function, [node for head in heads for node in head], DEPTH, set())

    def _expressions(
        self, role: str, file: Path, function: ast.AST, nodes: Sequence[ast.AST], depth: int, seen: set[Any]
    ) -> Iterator[Use]:
        """The variables in these nodes, then those in what their names were assigned, then those in what they call."""
        inside = [node for top in nodes for node in ast.walk(top)]
        called = [node.func for node in inside if isinstance(node, ast.Call)]
        methods = {id(each) for each in called if isinstance(each, ast.Attribute)}  # site.images.values: site.images
        for node in inside:
            path = _path(node, role) if id(node) not in methods else None
            if path is not None:
                yield Use(path, f"{self._folders.relative(file)}:{getattr(node, 'lineno', 0)}")
        names = dict.fromkeys(node.id for node in inside if isinstance(node, ast.Name) and node.id not in ROOTS)
        fresh = [name for name in names if (file, function, name) not in seen]
        seen.update((file, function, name) for name in fresh)
        for name in fresh:
            yield from self._expressions(role, file, function, list(_assigned(function, name)), depth, seen)
        for name in fresh if depth else ():
            yield from self._called(role, file, name, depth - 1, seen)

    def _called(self, role: str, file: Path, name: str, depth: int, seen: set[Any]) -> Iterator[Use]:
        """What a function of roles/ uses, in this file or imported into it."""
        module = self._module(file)
        for node in module.body if module else ():
            if isinstance(node, ast.FunctionDef) and node.name == name:
                yield from self._expressions(role, file, node, node.body, depth, seen)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("roles."):
                other = self._folders.find(f"{str(node.module).replace('.', '/')}.py")
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        yield from self._called(role, other, alias.name, depth, seen)

    def _template(self, role: str, source: str) -> tuple[Use, ...]:
        shown = f"templates/{source}"
        return self._once((role, shown), lambda: self._read(role, self._folders.find(shown), shown))

    def _read(
        self, role: str, file: Path, shown: str, names: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    ) -> Iterator[Use]:
        """names: what stands for settings there, beside `settings` and `site`; variables then go by their name."""
        from jinja2 import TemplateSyntaxError, meta, nodes

        try:
            tree = self._jinja.parse(file.read_text())
        except (OSError, TemplateSyntaxError):
            return
        methods = {id(call.node) for call in tree.find_all(nodes.Call)}
        for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
            path = _jinja_path(node, {"settings": (role,), SITE: (SITE,), **names})
            if path and id(node) not in methods:
                yield Use(path, f"{shown}:{node.lineno}")
        own = meta.find_undeclared_variables(tree) - {*names, *ROOTS, "host", *self._jinja.globals} if names else ()
        yield from (Use((name,), shown) for name in sorted(own))
        for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport)):
            named = getattr(node, "template", None)
            if isinstance(named, nodes.Const):
                yield from self._template(role, str(named.value))

    @cached_property
    def _jinja(self) -> Any:
        from provision.templating.environment import environment

        return environment()

    def _module(self, file: Path) -> ast.Module | None:
        with self._parsing:
            if file not in self._modules:
                try:
                    self._modules[file] = ast.parse(file.read_text())
                except (OSError, SyntaxError):
                    self._modules[file] = None
            return self._modules[file]


def templates(value: Any, depth: int = 3) -> Iterator[Template]:
    """The templates in a resource as its role wrote it; not those of the resources that it only names."""
    if isinstance(value, Template):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from templates(each, depth)
    elif dataclasses.is_dataclass(value) and depth == 3:
        for field in dataclasses.fields(value):
            yield from templates(getattr(value, field.name), depth - 1)


def rendered(written: Resource | None) -> Rendered | None:
    """The text that the role rendered itself, of a file that a setting names."""
    content = getattr(written, "content", None)
    return content if isinstance(content, Rendered) else None


def _function_at(module: ast.Module, number: int) -> ast.FunctionDef | None:
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    inside = [f for f in functions if f.lineno <= number <= (f.end_lineno or 0)]
    return max(inside, key=lambda f: f.lineno, default=None)


def _around(node: ast.AST, number: int) -> list[ast.stmt]:
    """The statements that a line is in, the outermost first."""
    inner = next(
        (
            child
            for child in ast.walk(node)
            if isinstance(child, ast.stmt)
            and child is not node
            and child.lineno <= number <= (child.end_lineno or 0)
            and not isinstance(child, ast.FunctionDef)
        ),
        None,
    )
    return [inner, *_around(inner, number)] if inner else []


def _head(statement: ast.stmt) -> list[ast.AST]:
    """A statement without the statements inside it: a condition, what is looped over, an expression."""
    if isinstance(statement, (ast.If, ast.While)):
        return [statement.test]
    if isinstance(statement, (ast.For, ast.With, ast.Try)):
        return [statement.iter] if isinstance(statement, ast.For) else []
    return [statement]


def _assigned(function: ast.AST, name: str) -> Iterator[ast.AST]:
    """The expressions whose value a name gets in a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(_names(target, name) for target in node.targets):
            yield node.value
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and _names(node.target, name):
            yield from (node.value,) if node.value else ()
        elif isinstance(node, (ast.For, ast.comprehension)) and _names(node.target, name):
            yield node.iter


def _names(target: ast.AST, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(target))


def _path(node: ast.AST, role: str) -> tuple[str, ...] | None:
    """The variable that `settings.a.b`, `site.a["b"]` or `host.var("c")` is; None for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "var" and node.args:
        first = node.args[0]
        return (first.value,) if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    keys: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            keys.append(node.attr)
        elif isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            keys.append(node.slice.value)
        else:
            keys.clear()
        node = node.value
    if not keys or not isinstance(node, ast.Name) or node.id not in ROOTS:
        return None
    return (role if node.id == "settings" else node.id, *reversed(keys))


def _jinja_path(node: Any, names: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    from jinja2 import nodes

    keys: list[str] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getattr):
            keys.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            keys.append(node.arg.value)
        else:
            keys.clear()
        node = node.node
    if not keys or not isinstance(node, nodes.Name) or node.name not in names:
        return None
    return (*names[node.name], *reversed(keys))
