"""`why`: what a resource depends on, from the variable to the program that reads the file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report import text
from provision.errors import Exit, InputError
from provision.plan.plan import Declaration
from provision.project import Project
from provision.resources import ConfigSet
from provision.resources.optional.dependent import dependencies_of
from provision.resources.optional.reversible import rollback_summary
from provision.secret import Secret
from provision.spelling import listed, suggestion
from provision.usage import usage

DECLARED = f"Name one that a role declares: {usage('plan --verbose --verbose')} lists every resource"


def why(options: Options) -> int:
    """Variable, where it is set, where it is used, the file, and what is restarted: without asking a host."""
    if bool(options.resource) is bool(options.path):
        raise InputError("why wants one thing to explain", do="Give --resource 'File /etc/hosts' or --path /etc/hosts")
    project = open_project(options).project
    hosts = [host.name for host in project.hosts(options.limit)]
    declared = {host: project.declared(host) for host in hosts}
    found = {host: tuple(d for d in declared[host] if _is(d, options)) for host in hosts}
    if not any(found.values()):
        what = options.resource or options.path or ""
        known = sorted({each for every in declared.values() for d in every for each in _names(d, options)})
        raise InputError(f"nothing declares {what!r} on {listed(hosts, 6)}", do=suggestion(what, known) or DECLARED)
    out = sys.stderr if options.json else sys.stdout
    same: dict[tuple[str, ...], list[str]] = {}
    for host, mine in found.items():
        for declaration in mine:
            same.setdefault(tuple(_lines(project, host, declaration, declared[host])), []).append(host)
    for lines, names in same.items():
        print("\n".join([f"{lines[0]}  on {listed(names, 6)}", *lines[1:]]), file=out)
    if options.json:
        from hdss7.report.json import encode

        described = {
            h: {"status": "ok", "resources": [_plain(project, h, d, declared[h]) for d in found[h]]} for h in hosts
        }
        print(encode(described, None, Exit.OK))
    return Exit.OK


def _is(declaration: Declaration, options: Options) -> bool:
    return (options.resource or options.path) in _names(declaration, options)


def _names(declaration: Declaration, options: Options) -> tuple[str, ...]:
    key = declaration.resource.key
    named = key.partition(" ")[2]  # a set's folder, as its own lines show it
    return (key,) if options.resource else (*declaration.resource.paths, *((named,) if named.startswith("/") else ()))


def _lines(project: Project, host: str, declaration: Declaration, every: Iterable[Declaration]) -> list[str]:
    from provision.playbook.provenance import rendered, templates

    lines = [declaration.resource.key, f"    declared by role {declaration.role}, {declaration.line}"]
    lines += [f"    rendered from templates/{t.source}" for t in templates(declaration.written)]
    if own := rendered(declaration.written):
        lines.append(f"    rendered from {own.source}")
    rows = [
        (
            f"    depends on {variable.use.name}",
            f"= {_value(project, host, variable.use.path)}",
            f"set in {variable.origin}" if variable.origin else f"default, {variable.default}",
            f"used in {variable.use.line}",
        )
        for variable in project.variables(host, declaration)
    ]
    lines += text.columns(rows)
    lines += [f"    when it changes: {after}" for after in _after(declaration, every)]
    return [*lines, f"    undone by: {rollback_summary(declaration.resource)}"]


def _after(declaration: Declaration, every: Iterable[Declaration]) -> list[str]:
    """What follows a change of this resource on its host."""
    key = declaration.resource.key
    followers = [d for d in every if any(r.key == key for r in dependencies_of(d.resource))]
    own = [f"{key} is activated as one"] if isinstance(declaration.resource, ConfigSet) else []
    return [*own, *(f"{d.resource.key} follows ({d.role}, {d.line})" for d in followers)]


def _value(project: Project, host: str, path: tuple[str, ...]) -> str:
    """The value as the role sees it; what is secret, or not there, is not shown."""
    known = project.inventory.host(host)
    value: Any = known.vars.get(path[0]) if len(path) == 1 else project.roles.settings(known, path[0])
    for key in path[1:]:
        value = value.get(key) if isinstance(value, dict) else getattr(value, key, None)
    if isinstance(value, Secret):
        return repr(value)
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."


def _plain(project: Project, host: str, declaration: Declaration, every: Iterable[Declaration]) -> dict[str, Any]:
    return {
        "resource": declaration.resource.key,
        "role": declaration.role,
        "line": declaration.line,
        "variables": [
            {"name": v.use.name, "set": v.origin, "default": v.default, "used": v.use.line}
            for v in project.variables(host, declaration)
        ],
        "after": _after(declaration, every),
        "undo": rollback_summary(declaration.resource),
    }
