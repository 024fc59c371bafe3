"""Every option of the command line, once; and the values that were typed."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import InputError

if TYPE_CHECKING:
    from provision.inventory.vault import Vault
    from provision.project import Selection

FORKS = 20
RUN_SECONDS = 600
HTTP_PORT, PROXY_PORT = 8080, 8081


class Kind(Enum):
    """What follows an option, and how often it may come."""

    TEXT = auto()
    FLAG = auto()
    NUMBER = auto()
    REPEATED = auto()
    COUNTED = auto()
    POSITIONAL = auto()


@dataclass(frozen=True)
class Option:
    """An option as it is typed (`--extra-vars` is name 'extra-vars') and as --help explains it."""

    name: str
    help: str
    kind: Kind = Kind.TEXT
    number: int = 0

    @property
    def attribute(self) -> str:
        """Its name in Options."""
        return self.name.replace("-", "_")

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter of a task that Invoke makes this option from: it takes the type from the default."""
        defaults = {
            Kind.FLAG: False,
            Kind.NUMBER: self.number,
            Kind.COUNTED: 0,
            Kind.POSITIONAL: inspect.Parameter.empty,
        }
        default = defaults.get(self.kind)
        return inspect.Parameter(self.attribute, inspect.Parameter.KEYWORD_ONLY, default=default)


INVENTORY = Option("inventory", "inventory folder or file; repeat for several (default inventory/lab)", Kind.REPEATED)
EXTRA_VARS = Option("extra-vars", "k=v k=v, @FILE or {json}; wins over the inventory; repeatable", Kind.REPEATED)
LAB = Option("lab", "which embedded lab (default main)")
LIMIT = Option("limit", "only these hosts: names, groups, patterns such as nodes:!hdss7-22")
TAGS = Option("tags", "only roles and plays with one of these tags: a,b", Kind.REPEATED)
SKIP_TAGS = Option("skip-tags", "without roles and plays that have one of these tags", Kind.REPEATED)
CHECK = Option("check", "change nothing; exit 2 if something would change", Kind.FLAG)
DIFF = Option("diff", "show what differs, line by line", Kind.FLAG)
FORKS_ = Option("forks", f"hosts at a time (default {FORKS})", Kind.NUMBER, FORKS)
USER = Option("user", "log in as this user (default: ansible_user)")
KEY = Option("private-key", "log in with this private key file")
PASSWORD = Option("ask-become-pass", "ask for the sudo password", Kind.FLAG)
VAULT_FILE = Option("vault-password-file", "file with the vault password, or a program that prints it", Kind.REPEATED)
VAULT_ID = Option("vault-id", "LABEL@FILE or LABEL@prompt: the vault password of one vault id", Kind.REPEATED)
VAULT_ASK = Option("ask-vault-pass", "ask for the ansible-vault password", Kind.FLAG)
JSON = Option("json", "one JSON object on standard output, progress on standard error", Kind.FLAG)
VERBOSE = Option("verbose", "say more: where it is declared; twice: what is as declared, too", Kind.COUNTED)
PATTERN = Option("pattern", "the hosts to show (default all)")
EXPRESSION = Option("k", "only checks whose names match, as pytest's -k")
DEEP = Option("deep", "also read every downloaded file whole, and compare its checksum", Kind.FLAG)
JUNIT = Option("junit", "write the results as JUnit XML into this file")
TIMEOUT = Option(
    "timeout", f"seconds that a host has for the command (default {RUN_SECONDS})", Kind.NUMBER, RUN_SECONDS
)
WAIT = Option("wait", "seconds to wait for hosts that another run is changing (default 0)", Kind.NUMBER, 0)
FORCE = Option("force", "change nodes without taking them out of traffic first", Kind.FLAG)
RUN = Option("run", "the run, as invoke history names it")
RESOURCE = Option("resource", "a resource, as a plan names it: 'File /etc/hosts'")
PATH = Option("path", "a path on the hosts: /etc/hosts")
SAVE = Option("save", "write the plan into this file, for deploy --plan")
PLAN = Option("plan", "apply the plan that was saved in this file, or nothing if hosts have moved on")
PRUNE = Option("prune", "take away what this toolkit made and no role declares any more", Kind.FLAG)
YES = Option("yes", "trust without asking", Kind.FLAG)
PURGE = Option("purge", "forget the hosts' disks and keys too", Kind.FLAG)
BARE = Option("bare", "only the hosts, without building what they may fetch", Kind.FLAG)
VM = Option("vm", "also hdss7-23: a virtual machine with a kernel of its own, for ipvs", Kind.FLAG)
HARD = Option("hard", "cut the power instead of an orderly reboot", Kind.FLAG)
HOST = Option("host", "the host's name", Kind.POSITIONAL)
SITE_NAME = Option("host", "the site's name to show as 127.0.0.1 (default: Traefik's, traefik.od.com)")
PORT = Option("port", f"port on 127.0.0.1 that shows it (default {HTTP_PORT})", Kind.NUMBER, HTTP_PORT)
PROXY = Option("proxy-port", f"port on 127.0.0.1 of the HTTP proxy (default {PROXY_PORT})", Kind.NUMBER, PROXY_PORT)

VAULT = (VAULT_FILE, VAULT_ID, VAULT_ASK)
DECLARED = (INVENTORY, EXTRA_VARS, LAB, *VAULT)
LOGIN = (*DECLARED, LIMIT, FORKS_, USER, KEY, PASSWORD)
CHOSEN = (TAGS, SKIP_TAGS)
OUTPUT = (JSON, VERBOSE)


@dataclass(frozen=True)
class Options:
    """What was typed for one command. words: what followed `--`."""

    inventory: Sequence[str] = ()
    extra_vars: Sequence[str] = ()
    lab: str | None = None
    limit: str | None = None
    tags: Sequence[str] = ()
    skip_tags: Sequence[str] = ()
    check: bool = False
    diff: bool = False
    forks: int = FORKS
    user: str | None = None
    private_key: str | None = None
    ask_become_pass: bool = False
    vault_password_file: Sequence[str] = ()
    vault_id: Sequence[str] = ()
    ask_vault_pass: bool = False
    json: bool = False
    verbose: int = 0
    pattern: str | None = None
    k: str | None = None
    deep: bool = False
    junit: str | None = None
    timeout: int = RUN_SECONDS
    wait: int = 0
    force: bool = False
    prune: bool = False
    save: str | None = None
    plan: str | None = None
    run: str | None = None
    resource: str | None = None
    path: str | None = None
    yes: bool = False
    purge: bool = False
    bare: bool = False
    hard: bool = False
    vm: bool = False
    host: str | None = None
    port: int = HTTP_PORT
    proxy_port: int = PROXY_PORT
    words: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        for name, least, most in (
            ("forks", 1, 1000),
            ("timeout", 1, 86400),
            ("wait", 0, 86400),
            ("port", 1, 65535),
            ("proxy_port", 1, 65535),
        ):
            if not least <= getattr(self, name) <= most:
                raise InputError(
                    f"--{name.replace('_', '-')} {getattr(self, name)} is out of range",
                    do=f"Give a number from {least} to {most}",
                )
        for name in (
            "limit",
            "pattern",
            "lab",
            "user",
            "private_key",
            "k",
            "junit",
            "host",
            "run",
            "resource",
            "path",
            "save",
            "plan",
        ):
            value = getattr(self, name)
            if value is not None and not value.strip():
                raise InputError(f"--{name.replace('_', '-')} is empty", do="Give a value, or leave it out")

    @property
    def lab_name(self) -> str:
        """The lab meant: --lab, or main."""
        return self.lab or "main"

    def sources(self, root: Path) -> tuple[Path, ...]:
        """The inventories named, relative to the current folder or else to the project; inventory/lab by default."""
        if any(not name.strip() for name in self.inventory):
            raise InputError("--inventory is empty", do="Name a folder: --inventory inventory/lab")
        if not self.inventory:
            return (root / "inventory" / "lab",)
        named = [Path(name).expanduser() for name in self.inventory]
        return tuple(path.absolute() if path.exists() or not (root / path).exists() else root / path for path in named)

    def vault(self) -> Vault:
        """What opens encrypted files and values. Asks for the password if told to."""
        from hdss7.passwords import vault

        return vault(self.vault_password_file, self.vault_id, self.ask_vault_pass)

    def selection(self) -> Selection:
        """What of the site is meant and how to log in. Asks for the sudo password if told to."""
        from hdss7.passwords import typed
        from provision.project import Selection

        if self.private_key and not Path(self.private_key).expanduser().is_file():
            raise InputError(
                f"--private-key {self.private_key}: there is no such file", do="Name the file of the private key"
            )
        return Selection(
            limit=self.limit,
            tags=_split("--tags", self.tags),
            skip_tags=_split("--skip-tags", self.skip_tags),
            user=self.user,
            private_key=self.private_key,
            become_password=typed("sudo password: ") if self.ask_become_pass else None,
        )


def _split(option: str, values: Sequence[str]) -> frozenset[str]:
    tags = [tag.strip() for value in values for tag in value.split(",")]
    if not all(tags):
        raise InputError(f"{option} has an empty tag in it", do="Give tags joined by commas: base,edge")
    return frozenset(tags)
