"""`lint` and `hosts`: what is declared, looked at without asking a host."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hdss7.ingress.site import check_classes
from hdss7.options import Options
from hdss7.project import PLAYS, open_project, packaged
from hdss7.report import text
from hdss7.report.json import encode
from provision.errors import Exit, InputError, ProvisionError, worst
from provision.inventory import Host
from provision.inventory.access import DIALLERS
from provision.playbook.plays import load
from provision.project import Project
from provision.resources import Download, Image
from provision.secret import shown
from provision.spelling import listed

SECRETS = ("password", "passwd", "secret", "token")


def lint(options: Options) -> int:
    """Compile everything for every host: inventory, settings, plays, roles, templates, manifests."""
    project = open_project(options).project
    chosen = project.hosts(options.limit)
    plays = project.plays
    found = {host.name: compiled(project, host) for host in chosen}
    errors = {name: result for name, result in found.items() if isinstance(result, ProvisionError)}
    code = worst([error.exit for error in errors.values()])
    for paragraph in text.paragraphs((each.explanation for each in errors.values()), verbose=options.verbose):
        print(paragraph, file=sys.stderr)
    if not errors:
        check_classes(project, chosen)
    if options.json:
        print(encode({name: _linted(result) for name, result in found.items()}, None, code))
        return code
    good = [(name, str(result)) for name, result in found.items() if isinstance(result, int)]
    if good:
        rows = good if len(good) <= text.MANY or options.verbose else _alike(good)
        print("\n".join(text.columns([("host", "resources"), *rows], right=(1,))))
    roles = {use.name for play in plays for use in play.roles}
    parts = ((len(plays), "play"), (len(roles), "role"), (len(chosen), "host"))
    verdict = f"{text.number(len(errors), 'host')} wrong" if errors else "nothing wrong"
    notes = () if errors else project.notes()
    for line in (*notes, *unplayed(project), *zero_sums(project, [name for name, _ in good])):
        print(line)
    print(f"lint: {', '.join(text.number(*part) for part in parts)}: {verdict}; no host was asked")
    return code


def _alike(good: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """A row for those of many hosts that have the same number of resources."""
    return [(text.number(hosts, "host"), count) for count, hosts in Counter(count for _, count in good).items()]


def unplayed(project: Project) -> list[str]:
    """The packaged plays that an own site.yml lacks, a line for each: most likely they came with a newer version."""
    own, theirs = project.folders.own / PLAYS, packaged() / PLAYS
    if own.samefile(theirs):
        return []
    roles = {use.name for play in project.plays for use in play.roles}
    return [
        f"note: the packaged play '{play.name}' is not in your {PLAYS} (roles: {', '.join(missing)})"
        for play in load(theirs)
        if (missing := [use.name for use in play.roles if use.name not in roles])
    ]


def zero_sums(project: Project, hosts: Sequence[str]) -> list[str]:
    """The downloads whose SHA-256 is still the zeros of the inventory to copy; hosts: those that compile.

    None for the lab's own hosts: `invoke lab.up` says what it has built.
    """
    dialled = (host.var(name, "") for host in project.inventory.hosts_with(*DIALLERS) for name in DIALLERS)
    if any(str(by).startswith("lab.") for by in dialled):
        return []
    resources = [declaration.resource for host in hosts for declaration in project.declared(host)]
    zero = [r for r in resources if isinstance(r, (Download, Image)) and set(r.sha256) == {"0"}]
    names = dict.fromkeys(r.path.rpartition("/")[2] if isinstance(r, Download) else r.name for r in zero)
    if not names:
        return []
    return [
        f"note: the SHA-256 sums of {listed(names, 12)} are still zeros, so their download would be refused: "
        "replace them in the inventory before you deploy (checksums.yml shows how)"
    ]


def compiled(project: Project, host: Host) -> int | ProvisionError:
    """How many resources are declared for a host, or what is wrong with its declaration."""
    try:
        host.check_login()
        return len(project.declared(host.name))
    except ProvisionError as error:
        return error


def _linted(result: int | ProvisionError) -> dict[str, Any]:
    if isinstance(result, ProvisionError):
        return {"status": "failed", "resources": 0, "error": result.explanation.as_dict()}
    return {"status": "ok", "resources": result, "error": None}


def hosts(options: Options) -> int:
    """The hosts that a pattern means, with address and groups; with --verbose their variables too."""
    inventory = open_project(options).project.inventory
    chosen = inventory.select("all" if options.pattern is None else options.pattern)
    for note in inventory.notes:
        print(f"note: {note}", file=sys.stderr)
    if options.json:
        print(encode({host.name: _described(host) for host in chosen}, None, Exit.OK))
        return Exit.OK
    rows = [("host", "address", "groups")]
    rows += [(host.name, _place(host), ", ".join(host.groups)) for host in chosen]
    head, *lines = text.columns(rows)
    print(head)
    for host, line in zip(chosen, lines, strict=True):
        print(line)
        for name in host.vars if options.verbose else ():
            if host.origin(name):
                print(f"    {name}: {_value(host, name)}  ({host.origin(name)})")
    return Exit.OK


def _place(host: Host) -> str:
    return "this machine" if host.local else f"{shown(host.address)}:{host.port}"


def _described(host: Host) -> dict[str, Any]:
    variables = {name: _value(host, name) for name in host.vars if host.origin(name)}
    return {"address": shown(host.address), "port": host.port, "groups": list(host.groups), "variables": variables}


def _value(host: Host, name: str) -> Any:
    """A variable's value as plain data; what is a secret, or named like one, is not shown."""
    if any(word in name.lower() for word in SECRETS):
        return "(not shown)"
    try:
        return host.scope.readable(name)
    except InputError as error:
        return f"(can't be evaluated: {error.explanation.found or error.explanation.what})"
