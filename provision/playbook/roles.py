"""Roles: found by name, called for a host, turned into declarations.

A role NAME is `roles/NAME.py` with a generator of that name, `NAME(host, site, settings)`, and a `Settings` struct that
types the variables under `NAME:`. `roles/_site.py` types what several roles need, the variables under `site:`.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from provision.errors import InputError, ProvisionError
from provision.inventory.settings import SITE, bind
from provision.plan.plan import Declaration
from provision.playbook.alike import Alike, WatchedHost
from provision.playbook.plays import role_names
from provision.resources import ConfigSet, Manifests
from provision.resources.base import Rendering, Resource
from provision.resources.content import Template
from provision.resources.fixed import Guard
from provision.resources.kubernetes import diff
from provision.resources.optional.sensitive import protect
from provision.search_path import SearchPath
from provision.secret import NOTHING, Redactor, secrets_in, tracking
from provision.spelling import nearest
from provision.templating.templates import Templates
from provision.usage import usage

if TYPE_CHECKING:
    from provision.inventory import Host, Inventory
    from provision.playbook.health_check import HealthCheck
    from provision.playbook.plays import Play, RoleUse

Generator = Callable[[Any, Any, Any], Iterator[Resource]]
Prepare = Callable[["Inventory", Any, Any], bool]


@dataclass(frozen=True)
class Role:
    """A role's generator and the type of its settings.

    prepare: makes what the role needs on the controller (keys, certificates), and says whether it made something;
    called before hosts change, with the inventory and the first host's site and settings.
    """

    name: str
    generate: Generator
    settings: type[Any]
    prepare: Prepare | None = None


class Roles:
    """The roles of a project: `folders` hold roles/ and templates/."""

    def __init__(self, folders: SearchPath) -> None:
        self._folders = folders
        folders.make_importable("roles")
        self._templates = Templates(folders.subfolders("templates"))
        self._loaded: dict[str, Role] = {}
        self.alike = Alike()

    def names(self) -> tuple[str, ...]:
        """Every role there is, by file name."""
        return role_names(self._folders)

    def load(self, name: str, line: str = "") -> Role:
        """The role. Raises InputError for an unknown one, with the nearest."""
        if name not in self._loaded:
            if name not in self.names():
                near = nearest(name, self.names())
                hint = f"Did you mean {near}?" if near else f"There are: {', '.join(self.names())}"
                raise InputError(f"there is no role {name!r}", line=line, do=hint)
            try:
                module = importlib.import_module(f"roles.{name}")
                generate, settings = getattr(module, name), module.Settings
            except ProvisionError:
                raise
            except Exception as error:
                raise _broken(name, error, self._folders, line=line) from error
            self._loaded[name] = Role(name, generate, settings, getattr(module, "prepare", None))
        return self._loaded[name]

    def notes(self, inventory: Inventory, plays: Sequence[Play]) -> Iterator[str]:
        """What roles want people to know in time: the `notes` of a role's module, called as `prepare` is."""
        for play in plays:
            hosts = inventory.members(play.hosts)
            for use in play.roles if hosts else ():
                role = self.load(use.name, use.line)
                if notes := getattr(importlib.import_module(f"roles.{use.name}"), "notes", None):
                    yield from notes(inventory, _site(hosts[0]), bind(role.settings, hosts[0], role.name))

    def prepare(self, inventory: Inventory, plays: Sequence[Play]) -> bool:
        """Lets roles make things on the controller; whether one made something. Raises InputError, FailedError."""
        made = False
        for play in plays:
            hosts = inventory.members(play.hosts)
            for use in play.roles:
                role = self.load(use.name, use.line)
                if role.prepare and hosts:
                    site = _site(hosts[0])
                    made |= role.prepare(inventory, site, bind(role.settings, hosts[0], role.name))
        return made

    def health_check(self, name: str, host: Host) -> HealthCheck | None:
        """What the role that drains says has to go on answering while one of its nodes is out. None: nothing has to."""
        return self.health_check_function(name)(host, self.settings(host, SITE), self.settings(host, name))

    def health_check_function(self, name: str, line: str = "") -> Callable[[Any, Any, Any], HealthCheck | None]:
        """The `health_check` of the role that `drain` names. Raises InputError: no such role, or it has none."""
        self.load(name, line)
        function: Callable[[Any, Any, Any], HealthCheck | None] | None = getattr(
            importlib.import_module(f"roles.{name}"), "health_check", None
        )
        if function is None:
            raise InputError(
                f"'drain' names {name}, which declares no health check",
                line=line,
                do=f"Name the role that sends traffic to its hosts, or define `health_check` in roles/{name}.py",
            )
        return function

    def told(self, name: str, function: str, host: Host) -> tuple[Any, ...]:
        """What a role says has to go on answering while nodes change: `node_ports` are ports at which every node
        answers `/` with 200 by itself, `applications` are URLs. () where it has no function of that name.
        """
        self.load(name)
        found = getattr(importlib.import_module(f"roles.{name}"), function, None)
        return tuple(found(self.settings(host, SITE), self.settings(host, name))) if found else ()

    def settings(self, host: Host, namespace: str) -> Any:
        """A role's settings, or those of the site, for a host. Raises InputError."""
        return _site(host) if namespace == SITE else bind(self.load(namespace).settings, host, namespace)

    def declare(self, host: Host, plays: Sequence[Play]) -> tuple[Declaration, ...]:
        """Everything the plays say of a host. Raises InputError: role and line, what is wrong, what to do."""
        site = _site(host)
        declarations: list[Declaration] = []
        for number, play in enumerate(plays):
            if not host.inventory.is_member(host, play.hosts):
                continue
            for use in play.roles:
                if use.once and host != host.inventory.members(play.hosts)[0]:
                    continue
                tags = frozenset((use.name, *use.tags, *play.tags))
                declarations += [_confirmed(d, play.confirm) for d in self._role(host, site, use, number, tags)]
        _refuse_twice(host.name, declarations)
        return tuple(declarations)

    def _role(self, host: Host, site: Any, use: RoleUse, play: int, tags: frozenset[str]) -> list[Declaration]:
        role = self.load(use.name, use.line)
        settings = bind(role.settings, host, role.name)
        if (made := self.alike.known(use, play, tags, site, settings)) is not None:
            return list(made)
        watched = WatchedHost.of(host)
        known = {"host": watched, "site": site, "settings": settings}
        rendering = Rendering(lambda template: self._render(template, known, host, role.name))
        found: list[Declaration] = []
        line = ""
        with tracking() as seen:
            seen.update(secrets_in([site, settings], structs=True))
            try:
                generator = role.generate(watched, site, settings)
                if not isinstance(generator, GeneratorType):
                    raise InputError(
                        "a role yields its resources",
                        found=f"It returned {type(generator).__name__}",
                        do="Write yield before each resource",
                    )
                for resource in generator:
                    line = _line(self._folders, generator)
                    if not isinstance(resource, Resource):
                        raise InputError(
                            "a role yields resources",
                            found=f"It yielded {resource!r:.80}",
                            do="Yield a File, a Service or another class of provision.resources",
                        )
                    rendered = protect(rendering.resource(resource), Redactor(seen))
                    rendered.questions()  # a resource of the operator's own: its mistakes are found by lint
                    found.append(Declaration(rendered, role.name, line, play, tags, resource))
            except ProvisionError as error:
                parts = Redactor(seen).cleaned_all(error.explanation.as_dict())
                where = _raised_in(error, self._folders) or line
                raise error.but(**parts).at(host=host.name, role=role.name, line=where) from None
            except Exception as error:
                raise _broken(role.name, error, self._folders, host.name, line, Redactor(seen)) from error
        if seen:
            return [replace(each, redactor=Redactor(seen)) for each in found]
        if not watched.asked:
            self.alike.keep(use, play, tags, site, settings, found)
        return found

    def _render(self, template: Template, known: dict[str, Any], host: Host, role: str) -> str:
        return self._templates.render(template.source, {**known, **template.variables}, host=host.name, role=role)


def _site(host: Host) -> Any:
    return bind(importlib.import_module("roles._site").SiteSettings, host, SITE)


def _confirmed(declaration: Declaration, seconds: float) -> Declaration:
    """With the play's own `confirm`, where the role says nothing of it."""
    resource = declaration.resource
    if not seconds or not isinstance(resource, ConfigSet) or resource.confirm:
        return declaration
    return replace(declaration, resource=replace(resource, confirm=seconds))


def _broken(
    role: str, error: Exception, folders: SearchPath, host: str = "", line: str = "", redactor: Redactor = NOTHING
) -> InputError:
    """An error in a role's own code: it names the role's line."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename:
        where, message = f"{folders.relative(error.filename)}:{error.lineno}", f"{type(error).__name__}: {error.msg}"
    else:
        where = _raised_in(error, folders) or line
    return InputError(
        "the role can't be used",
        host=host,
        role=role,
        line=where,
        found=redactor.cleaned(message),
        do=f"Correct the role; {usage('lint')} compiles every role without asking a host",
    )


def _line(folders: SearchPath, generator: Any) -> str:
    """Where a generator stands; if it yields from another one of the same file, there."""
    inner = generator.gi_yieldfrom
    if isinstance(inner, GeneratorType) and inner.gi_code.co_filename == generator.gi_code.co_filename:
        return _line(folders, inner)
    frame = generator.gi_frame
    return f"{folders.relative(frame.f_code.co_filename)}:{frame.f_lineno}" if frame else ""


def _raised_in(error: BaseException, folders: SearchPath) -> str:
    """The deepest line of a role file in the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    found = [(folders.relative(frame.filename), frame.lineno) for frame in frames]
    mine = [f"{name}:{number}" for name, number in found if name.startswith("roles/")]
    return mine[-1] if mine else ""


def _refuse_twice(host: str, declarations: Iterable[Declaration]) -> None:
    """One thing, one owner: two declarations of it would undo each other for ever."""
    keys: dict[str, Declaration] = {}
    for declaration in declarations:
        for what in sorted({declaration.resource.key, *declaration.resource.paths, *_objects(declaration.resource)}):
            other = keys.setdefault(what, declaration)
            if other is not declaration:
                inside = f" in {other.resource.key}" if what != other.resource.key else ""
                raise InputError(
                    f"{what} is declared twice",
                    host=host,
                    role=declaration.role,
                    line=declaration.line,
                    found=f"It was declared before at {other.line} (role {other.role}){inside}",
                    do=f"Leave it to one of them, and take it out of {declaration.resource.key}"
                    if inside
                    else "Leave it to one of them",
                )


def _objects(resource: Resource) -> tuple[str, ...]:
    """The objects of a cluster that a set has; who removed the set would take them from another one."""
    objects = resource.objects if isinstance(resource, Manifests) and not resource.absent else ()
    return tuple("{} {}/{}".format(*diff.place(item)) for item in objects)


def chosen(declarations: Iterable[Declaration], tags: frozenset[str], skip: frozenset[str]) -> tuple[Declaration, ...]:
    """What --tags and --skip-tags leave; a setting that is fixed concerns every role, and is looked at always."""
    return tuple(
        d for d in declarations if isinstance(d.resource, Guard) or ((not tags or d.tags & tags) and not d.tags & skip)
    )


def check_tags(declarations: Iterable[Declaration], tags: frozenset[str]) -> None:
    """Raises InputError for a tag that nothing bears: a misspelt --tags must not deploy nothing in silence."""
    known = sorted({tag for d in declarations for tag in d.tags})
    for tag in sorted(tags - set(known)):
        near = nearest(tag, known)
        raise InputError(
            f"no role or play has the tag {tag!r}",
            do=f"Did you mean {near}?" if near else f"There are: {', '.join(known)}",
        )
