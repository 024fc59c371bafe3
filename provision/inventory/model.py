"""The hosts of a site, their groups and variables, read from Ansible's YAML inventories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from provision.errors import InputError
from provision.inventory import ansible, controller, extravars, layers, patterns, precedence
from provision.inventory.access import Access
from provision.inventory.groups import Tree
from provision.inventory.layers import Layer
from provision.inventory.magic import Magic
from provision.inventory.sources import Source, VariableFiles, open_source, shown_from
from provision.inventory.ssh_args import Jump
from provision.inventory.variables import Evaluator, Scope, Variables
from provision.inventory.vault import Vault
from provision.secret import bare, secret
from provision.spelling import listed, nearest, suggestion

_UNSET: Any = object()


@dataclass(frozen=True)
class Inventory:
    """Hosts in the order of `all`. groups: each group's hosts, then those of its children, as written.

    directory: the folder of the first source. namespaces: the variables that are merged key by key. files: where each
    host was first met. playbook_dir: the folder with site.yml. notes: what has no effect, for a person. limit: which
    hosts the run is about; a local host that it names is a member of plays for all.
    """

    hosts: tuple[Host, ...]
    groups: Mapping[str, tuple[str, ...]]
    directory: Path
    namespaces: frozenset[str]
    layers: Mapping[str, tuple[Layer, ...]] = field(repr=False, compare=False)
    files: Mapping[str, str] = field(repr=False, compare=False)
    playbook_dir: Path
    notes: tuple[str, ...] = field(repr=False, compare=False)
    limit: str | None = None
    _evaluator: Evaluator = field(repr=False, compare=False, default_factory=Evaluator)

    @staticmethod
    def load(
        sources: Sequence[Path | Source],
        extra_vars: Sequence[str] = (),
        cwd: Path | None = None,
        namespaces: frozenset[str] = frozenset(),
        vault: Vault | None = None,
        playbook_dir: Path | None = None,
        limit: str | None = None,
    ) -> Inventory:
        """The inventory that `sources` describe together, the later one stronger, as Ansible's repeated `-i`.

        sources: paths, or sources that are open already: their files are not read again.
        vault: opens what is encrypted: whole files now, single values when they are used. playbook_dir: the folder with
        site.yml, whose group_vars/ and host_vars/ count too. Raises InputError for whatever can't be read, or is
        Ansible's and not supported.
        """
        here = cwd or Path.cwd()
        vault = vault or Vault()
        opened = [each if isinstance(each, Source) else open_source(each, here, vault) for each in sources]
        if not opened:
            raise InputError("no inventory was given", do="Name one: --inventory inventory/lab.")
        tree = Tree()
        for source in opened:
            for file in source.files:
                tree.read(file.content, file.path)
        tree.finish()
        if not tree.hosts:
            raise _no_host(tree, opened)
        show = partial(shown_from, here)
        plays = VariableFiles(playbook_dir, show, vault) if playbook_dir else None
        extra = extravars.layers(extra_vars, here, show, vault)
        made = precedence.host_layers(tree, opened, plays, extra)
        folders = (*(source.variables for source in opened), *((plays,) if plays else ()))
        notes = (note for source in opened for note in source.notes), tree.notes, (n for f in folders for n in f.notes)
        return _assemble(
            tree,
            Inventory(
                (),
                MappingProxyType({name: tree.members(name) for name in tree.groups}),
                opened[0].directory,
                namespaces,
                MappingProxyType(made),
                MappingProxyType(tree.files),
                playbook_dir or here,
                (
                    *(note for each in notes for note in each),
                    *precedence.unread(tree, opened),
                    *precedence.notes(tree, made),
                ),
                limit,
            ),
        )

    def select(self, pattern: str) -> tuple[Host, ...]:
        """The hosts that a pattern means (see provision.inventory.patterns). Raises InputError; '' never means all."""
        return tuple(self.host(name) for name in patterns.select(pattern, tuple(self._by_name), self.groups))

    def members(self, pattern: str) -> tuple[Host, ...]:
        """The hosts of a play: as `select`, but a group that this inventory does not have is empty, and a local host
        is a member only where the play or `limit` names it."""
        return tuple(self._members_of(pattern))

    def is_member(self, host: Host, pattern: str) -> bool:
        """Whether a host is among the `members`."""
        return host in self._members_of(pattern)

    def _members_of(self, pattern: str) -> Mapping[Host, None]:
        if pattern not in self._meant:
            names = patterns.members(pattern, tuple(self._by_name), self.groups)
            if self._local & {*names}:
                meant = {*self._named(pattern), *(self._named(self.limit) if self.limit else ())}
                names = tuple(name for name in names if name not in self._local or name in meant)
            self._meant[pattern] = dict.fromkeys(self.host(name) for name in names)
        return self._meant[pattern]

    @cached_property
    def _meant(self) -> dict[str, Mapping[Host, None]]:
        return {}

    def _named(self, pattern: str) -> tuple[str, ...]:
        return controller.named(pattern, tuple(self._by_name), self.groups, self._local)

    def hosts_with(self, *names: str) -> tuple[Host, ...]:
        """The hosts for which one of these variables is written. Nothing is evaluated for that."""
        said = {
            host: any(name in layer.values for layer in made for name in names) for host, made in self.layers.items()
        }
        return tuple(host for host in self.hosts if said[host.name])

    @cached_property
    def _local(self) -> frozenset[str]:
        return frozenset(host.name for host in self.hosts_with(controller.CONNECTION) if host.local)

    @cached_property
    def _magic(self) -> Magic:
        return Magic(self.groups, self._by_name, self._scope_of, self.playbook_dir)

    def _scope_of(self, name: str) -> Scope:
        return (self._by_name.get(name) or self._implicit[name]).scope

    def host(self, name: str) -> Host:
        """The host of that name, also the controller that is not listed. Raises InputError when there is none."""
        if name in self._by_name:
            return self._by_name[name]
        if name in patterns.CONTROLLER:
            return self._implicit[name]
        raise InputError(
            f"there is no host '{name}' in the inventory",
            do=suggestion(name, self._by_name) or f"Hosts: {listed(self._by_name)}.",
        )

    @cached_property
    def _by_name(self) -> Mapping[str, Host]:
        return {host.name: host for host in self.hosts}

    @cached_property
    def _implicit(self) -> Mapping[str, Host]:
        return {name: Host(name, (), self) for name in controller.implicit(self._by_name)}


@dataclass(frozen=True)
class Host:
    """One host. groups: those it is in, directly or by their children, by name and without `all`."""

    name: str
    groups: tuple[str, ...] = field(compare=False)
    inventory: Inventory = field(repr=False, compare=False)

    def var(self, name: str, default: Any = _UNSET) -> Any:
        """The variable's value, evaluated. Raises InputError when it can't be, or is not set and has no default."""
        try:
            return self.vars[name]
        except KeyError:
            if default is not _UNSET:
                return default
        near = nearest(name, self.vars)
        raise InputError(
            f"the variable '{name}' is not set",
            host=self.name,
            line=self.origin(near) if near else "",
            do=f"Did you mean '{near}'?" if near else "Set it in group_vars/ or host_vars/ of the inventory.",
        )

    @cached_property
    def vars(self) -> Mapping[str, Any]:
        """All variables, each evaluated when it is asked for; the magic ones can be asked for and are not listed."""
        return Variables(self.scope)

    def group(self, name: str) -> tuple[Host, ...]:
        """The hosts of any group, in inventory order. Raises InputError for an unknown one."""
        if name not in self.inventory.groups:
            raise InputError(
                f"there is no group '{name}' in the inventory",
                host=self.name,
                do=suggestion(name, self.inventory.groups) or f"Groups: {listed(self.inventory.groups)}.",
            )
        members = frozenset(self.inventory.groups[name])
        return tuple(host for host in self.inventory.hosts if host.name in members)

    def origin(self, *path: Any) -> str:
        """`file:line` where a variable, or a key inside it, was set; "" when it was not."""
        return layers.origin(self.inventory.layers[self.name], self.inventory.namespaces, path)

    @property
    def access(self) -> Access:
        """How it is logged in to. Its properties raise InputError for values that can't be meant."""
        return Access(self)

    @property
    def local(self) -> bool:
        """Whether it is the controller itself, reached without ssh."""
        return self.access.local

    @property
    def address(self) -> str:
        """Where its sshd listens: ansible_host, or its name."""
        return self.access.address

    @property
    def port(self) -> int:
        """The port of its sshd: ansible_port, or 22."""
        return self.access.port

    @property
    def user(self) -> str | None:
        """Who logs in: ansible_user; None leaves it to ssh_config."""
        return self.access.text("ansible_user")

    @property
    def password(self) -> str | None:
        """The login's password, if the inventory holds one: ansible_password."""
        return self.access.text("ansible_password")

    @property
    def private_key(self) -> Path | None:
        """The key file, relative to the current folder; None leaves it to ssh_config."""
        return self.access.private_key

    @property
    def become(self) -> bool:
        """Whether sudo is used: ansible_become."""
        return self.access.become

    @property
    def become_user(self) -> str:
        """Whom sudo makes of the user: ansible_become_user, or root."""
        return self.access.text("ansible_become_user") or "root"

    @property
    def become_password(self) -> str | None:
        """What sudo asks for: ansible_become_password."""
        return self.access.text("ansible_become_password")

    @property
    def jumps(self) -> tuple[Jump, ...]:
        """The jump hosts, the first hop first, of ssh's arguments."""
        return self.access.jumps

    @property
    def timeout(self) -> float:
        """Seconds that a login may take: ansible_ssh_timeout or ansible_timeout, else 10."""
        return self.access.timeout

    def check_login(self) -> None:
        """Raise InputError for login variables that can't be meant, before any host is asked."""
        self.access.check()

    @cached_property
    def scope(self) -> Scope:
        """The variables as Jinja needs them: evaluated one by one."""
        inventory = self.inventory
        file = inventory.files.get(self.name, str(None))  # Ansible's for a controller that is not listed
        magic = inventory._magic.of(self.name, self.groups, file)
        raw = layers.merge(inventory.layers[self.name], inventory.namespaces)
        raw = {name: value for name, value in raw.items() if name not in magic}
        # how a host is logged in to is shown, also out of an encrypted hosts.yml; what lets one in is not
        raw.update({name: bare(raw[name]) for name in ansible.NAMES if name in raw})
        raw.update({name: secret(raw[name]) for name in ansible.SECRETS if name in raw})
        return Scope(self.name, raw, magic, lambda path: self.origin(*path), inventory._evaluator)


def _no_host(tree: Tree, sources: Sequence[Source]) -> InputError:
    """What an inventory without a host has instead."""
    groups = [name for name in tree.groups if name not in ("all", "ungrouped")]
    return InputError(
        "there is no host in the inventory",
        line=listed(source.shown for source in sources),
        found=". ".join(tree.notes[:3]) or (f"Its groups are empty: {listed(groups)}" if groups else "It says nothing"),
        do="Write hosts into a group: 'edge: {hosts: {hdss7-11: }}' in YAML, [edge] and below it hdss7-11 in INI.",
    )


def _assemble(tree: Tree, inventory: Inventory) -> Inventory:
    """The inventory with its hosts, each with its groups."""
    groups: dict[str, list[str]] = {name: [] for name in tree.hosts}
    for group in sorted(inventory.groups):
        for name in inventory.groups[group] if group != "all" else ():
            groups[name].append(group)
    hosts = tuple(Host(name, tuple(groups[name]), inventory) for name in inventory.groups["all"])
    object.__setattr__(inventory, "hosts", hosts)  # hosts and inventory know each other; frozen from here on
    return inventory
