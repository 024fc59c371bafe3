"""The hosts of a site, their groups and variables, read from Ansible's YAML inventories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from provision.errors import InputError
from provision.inventory import ansible, extravars, layers, patterns
from provision.inventory.groups import Tree
from provision.inventory.layers import Layer
from provision.inventory.precedence import host_layers
from provision.inventory.sources import Source, open_source, shown_from
from provision.inventory.variables import Evaluator, Scope, Variables, View
from provision.inventory.vault import Vault
from provision.secret import Secret, bare, secret
from provision.spelling import listed, nearest, suggestion

_ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")  # of IP, or a host's name
_UNSET: Any = object()


@dataclass(frozen=True)
class Inventory:
    """Hosts in the order written. groups: each group's hosts, then those of its children, as written.

    directory: the folder of the first source. namespaces: the variables that are merged key by key.
    """

    hosts: tuple[Host, ...]
    groups: Mapping[str, tuple[str, ...]]
    directory: Path
    namespaces: frozenset[str]
    layers: Mapping[str, tuple[Layer, ...]] = field(repr=False, compare=False)
    _evaluator: Evaluator = field(repr=False, compare=False, default_factory=Evaluator)

    @staticmethod
    def load(
        sources: Sequence[Path | Source],
        extra_vars: Sequence[str] = (),
        cwd: Path | None = None,
        namespaces: frozenset[str] = frozenset(),
        vault: Vault | None = None,
    ) -> Inventory:
        """The inventory that `sources` describe together, the later one stronger, as Ansible's repeated `-i`.

        sources: paths, or sources that are open already: their files are not read again.
        vault: opens what is encrypted: whole files now, single values when they are used. Raises InputError for
        whatever can't be read, or is Ansible's and not supported.
        """
        here = cwd or Path.cwd()
        vault = vault or Vault()
        opened = [each if isinstance(each, Source) else open_source(each, here, vault) for each in sources]
        if not opened:
            raise InputError("no inventory was given", do="Name one: --inventory inventory/lab.")
        tree = Tree()
        for source in opened:
            for document in source.documents:
                tree.read(document)
        tree.finish()
        if not tree.hosts:
            raise InputError("there is no host in the inventory", line=listed(source.shown for source in opened))
        extra = extravars.layers(extra_vars, here, partial(shown_from, here), vault)
        return _assemble(tree, host_layers(tree, opened, extra), opened[0].directory, namespaces)

    def select(self, pattern: str) -> tuple[Host, ...]:
        """The hosts that a pattern means (see provision.inventory.patterns). Raises InputError; '' never means all."""
        return tuple(self._by_name[name] for name in patterns.select(pattern, tuple(self._by_name), self.groups))

    def members(self, pattern: str) -> tuple[Host, ...]:
        """The hosts of a play: as `select`, but a group that this inventory does not have is empty."""
        return tuple(self._by_name[name] for name in patterns.members(pattern, tuple(self._by_name), self.groups))

    def host(self, name: str) -> Host:
        """The host of that name. Raises InputError, with the nearest name, when there is none."""
        if name in self._by_name:
            return self._by_name[name]
        raise InputError(
            f"there is no host '{name}' in the inventory",
            do=suggestion(name, self._by_name) or f"Hosts: {listed(self._by_name)}.",
        )

    @cached_property
    def _by_name(self) -> Mapping[str, Host]:
        return {host.name: host for host in self.hosts}


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
    def address(self) -> str:
        """Where its sshd listens: ansible_host, or its name. Raises InputError for a host not meant for ssh."""
        kind = self._login("ansible_connection")
        if kind not in (None, "ssh", "smart", "paramiko", "paramiko_ssh"):
            raise self._wrong("ansible_connection", f"'{kind}' is not supported", "Hosts are reached by ssh only.")
        address = self._text("ansible_host") or self.name
        if not _ADDRESS.fullmatch(address):
            raise self._wrong("ansible_host", f"'{address}' is no address", "Write an IP address or a host name.")
        return address

    @property
    def port(self) -> int:
        """The port of its sshd: ansible_port, or 22."""
        value = self._login("ansible_port")
        if value is None:
            return 22
        text = str(value)
        if isinstance(value, bool) or not text.isdecimal() or not 0 < int(text) < 65536:
            raise self._wrong("ansible_port", f"'{value}' is not a port", "Write a number from 1 to 65535.")
        return int(text)

    @property
    def user(self) -> str | None:
        """Who logs in: ansible_user; None leaves it to ssh_config."""
        return self._text("ansible_user")

    @property
    def password(self) -> str | None:
        """The login's password, if the inventory holds one: ansible_password."""
        return self._text("ansible_password")

    @property
    def private_key(self) -> Path | None:
        """The key file: ansible_ssh_private_key_file, relative to the current folder; None leaves it to ssh_config."""
        text = self._text("ansible_ssh_private_key_file")
        return Path(text).expanduser() if text else None

    @property
    def become(self) -> bool:
        """Whether sudo is used: ansible_become."""
        value = self._login("ansible_become")
        answer = False if value is None else ansible.as_bool(value)
        if answer is None:
            raise self._wrong("ansible_become", f"'{value}' is neither yes nor no", "Write true or false.")
        method = self._login("ansible_become_method")
        if answer and method not in (None, "sudo"):
            raise self._wrong("ansible_become_method", f"'{method}' is not supported", "Only sudo is.")
        return answer

    @property
    def become_user(self) -> str:
        """Whom sudo makes of the user: ansible_become_user, or root."""
        return self._text("ansible_become_user") or "root"

    @property
    def become_password(self) -> str | None:
        """What sudo asks for: ansible_become_password."""
        return self._text("ansible_become_password")

    @property
    def jumps(self) -> tuple[str, ...]:
        """Jump hosts as [user@]host[:port], the first hop first, from ansible_ssh_common_args."""
        text = self._text("ansible_ssh_common_args")
        return ansible.jumps(text, lambda found, do: self._wrong("ansible_ssh_common_args", found, do)) if text else ()

    @property
    def timeout(self) -> float:
        """Seconds that a login may take: ansible_ssh_timeout or ansible_timeout, else 10."""
        value = self._login("ansible_ssh_timeout")
        try:
            seconds = 10.0 if value is None else float(value)
        except (TypeError, ValueError):
            seconds = 0.0
        if isinstance(value, bool) or not 0 < seconds <= 3600:
            raise self._wrong("ansible_ssh_timeout", f"'{value}' is no number of seconds", "Write a number: 10")
        return seconds

    def check_login(self) -> None:
        """Raise InputError for login variables that can't be meant, before any host is asked."""
        for name in ("address", "port", "user", "private_key", "become", "become_user", "jumps", "timeout"):
            getattr(self, name)

    @cached_property
    def scope(self) -> Scope:
        """The variables as Jinja needs them: evaluated one by one."""
        inventory = self.inventory
        magic = {
            "inventory_hostname": self.name,
            "inventory_hostname_short": self.name.partition(".")[0],
            "inventory_dir": str(inventory.directory),
            "groups": {name: list(members) for name, members in inventory.groups.items()},
            "group_names": list(self.groups),
            "hostvars": _HostVars(inventory),
        }
        raw = layers.merge(inventory.layers[self.name], inventory.namespaces)
        # how a host is logged in to is shown, also out of an encrypted hosts.yml; what lets one in is not
        raw.update({name: bare(raw[name]) for name in ansible.NAMES if name in raw})
        raw.update({name: secret(raw[name]) for name in ansible.SECRETS if name in raw})
        return Scope(self.name, raw, magic, lambda path: self.origin(*path), inventory._evaluator)

    def _login(self, name: str) -> Any:
        for each in (name, *ansible.ALIASES[name]):
            value = self.var(each, None)
            if value is not None:
                return value
        return None

    def _text(self, name: str) -> str | None:
        value = self._login(name)
        if isinstance(value, (dict, list)):
            raise self._wrong(name, "it is not text", "Write one value.")
        return secret(str(value)) if isinstance(value, Secret) else None if value is None else str(value)

    def _wrong(self, name: str, found: str, do: str) -> InputError:
        if isinstance(self._login(name), Secret):
            found = "what is written is secret, and not shown"
        written = next((each for each in (name, *ansible.ALIASES[name]) if self.origin(each)), name)
        return InputError(
            f"the variable {written} can't be used", host=self.name, line=self.origin(written), found=found, do=do
        )


class _HostVars(Mapping[str, Any]):
    """Ansible's `hostvars`: every host's variables, by its name."""

    def __init__(self, inventory: Inventory) -> None:
        self._hosts = inventory._by_name

    def __getitem__(self, name: str) -> View:
        return View(self._hosts[name].scope)

    def __iter__(self) -> Any:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)


def _assemble(
    tree: Tree, made: Mapping[str, tuple[Layer, ...]], directory: Path, namespaces: frozenset[str]
) -> Inventory:
    members = {name: tree.members(name) for name in tree.groups}
    hosts: list[Host] = []
    inventory = Inventory((), MappingProxyType(members), directory, namespaces, MappingProxyType(dict(made)))
    for name in tree.hosts:
        groups = tuple(sorted(group for group in members if group != "all" and name in members[group]))
        hosts.append(Host(name, groups, inventory))
    object.__setattr__(inventory, "hosts", tuple(hosts))  # hosts and inventory know each other; frozen from here on
    return inventory
