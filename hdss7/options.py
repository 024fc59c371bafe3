"""Every option of the command line, once; and the values that were typed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum, auto
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from provision.errors import InputError
from provision.home import expanded

if TYPE_CHECKING:
    from provision.inventory.vault import Vault
    from provision.project import Selection

DAY = 86400
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
    """An option as it is typed (`--extra-vars` is name 'extra-vars') and as --help explains it.

    field: where Options holds its value. default, least, most: of a number.
    """

    name: str
    field: str
    help: str
    kind: Kind
    default: int = 0
    least: int = 0
    most: int = 0

    @property
    def attribute(self) -> str:
        """Its name as a parameter of a task. Invoke takes a `_` at the end away, and Python keeps some words."""
        return self.name.replace("-", "_") + "_" * iskeyword(self.name)

    @property
    def typed(self) -> str:
        """As a person types it."""
        return f"-{self.name}" if len(self.name) == 1 else f"--{self.name}"

    @property
    def parameter(self) -> inspect.Parameter:
        """The parameter of a task that Invoke makes this option from: it takes the type from the default."""
        defaults = {
            Kind.FLAG: False,
            Kind.NUMBER: self.default,
            Kind.COUNTED: 0,
            Kind.POSITIONAL: inspect.Parameter.empty,
        }
        default = defaults.get(self.kind)
        return inspect.Parameter(self.attribute, inspect.Parameter.KEYWORD_ONLY, default=default)

    def check(self, value: Any) -> None:
        """Raises InputError for a number out of range, and for an empty text. The default is in range."""
        if self.kind is Kind.NUMBER and value != self.default and not self.least <= value <= self.most:
            raise InputError(
                f"--{self.name} {value} is out of range", do=f"Give a number from {self.least} to {self.most}"
            )
        if self.kind in (Kind.TEXT, Kind.POSITIONAL) and value is not None and not value.strip():
            raise InputError(f"{self.typed} is empty", do="Give a value, or leave it out")


def _declare(kind: Kind, help: str, default: Any = None, *, name: str = "", least: int = 0, most: int = 0) -> Any:
    number = default if kind is Kind.NUMBER else 0
    return field(default=default, metadata={"option": Option(name, "", help, kind, number, least, most)})


def text(help: str, name: str = "") -> Any:
    """An option with a value. name: as it is typed, where that is not the name of the field."""
    return _declare(Kind.TEXT, help, name=name)


def positional(help: str) -> Any:
    """A value that needs no `--name` before it."""
    return _declare(Kind.POSITIONAL, help)


def flag(help: str) -> Any:
    """An option without a value."""
    return _declare(Kind.FLAG, help, False)


def number(help: str, default: int, least: int, most: int) -> Any:
    """A whole number from least to most. The help names the default."""
    return _declare(Kind.NUMBER, f"{help} (default {default})", default, least=least, most=most)


def chosen_number(help: str, most: int) -> Any:
    """A whole number from 1 to most; 0, the default, leaves it to the toolkit. The help says how that chooses."""
    return _declare(Kind.NUMBER, help, 0, least=1, most=most)


def repeated(help: str, name: str = "") -> Any:
    """An option with a value that may come several times. name: as it is typed, where that is not the field's."""
    return _declare(Kind.REPEATED, help, (), name=name)


def counted(help: str) -> Any:
    """An option without a value that says more when it comes twice."""
    return _declare(Kind.COUNTED, help, 0)


# Groups of options that several commands take, by the names of the fields below.
VAULT = ("vault_password_file", "vault_id", "ask_vault_pass")
DECLARED = ("project", "inventory", "run_inventory_programs", "extra_vars", "lab", *VAULT)
LOGIN = (*DECLARED, "limit", "forks", "user", "private_key", "transport", "ask_become_pass")
SPREAD = ("workers", "scheduler")
CHOSEN = ("tags", "skip_tags")
OUTPUT = ("json", "verbose")


@dataclass(frozen=True)
class Options:
    """What was typed for one command. An option is declared here and nowhere else; hdss7/commands.py says who takes it.

    words: what followed `--`.
    """

    project: str | None = text("the folder with site.yml (default: the current one, or the next one above that has it)")
    inventory: Sequence[str] = repeated(
        "inventory folder or file, or h1,h2,; repeatable (default: inventory/lab, else the only one)"
    )
    run_inventory_programs: bool = flag("run inventories that are programs; without it they are refused")
    extra_vars: Sequence[str] = repeated("k=v k=v, @FILE or {json}; overrides the inventory; repeatable")
    lab: str | None = text("the name of the embedded lab (default main)")
    limit: str | None = text("only these hosts: names, groups, patterns such as nodes:!hdss7-22")
    tags: Sequence[str] = repeated("only roles and plays with one of these tags: a,b")
    skip_tags: Sequence[str] = repeated("all but roles and plays with one of these tags")
    check: bool = flag("change nothing; exit 2 if something would change")
    diff: bool = flag("show what differs, line by line")
    forks: int = chosen_number("hosts at a time (default: by the cores of this machine, at least 20)", 1000)
    workers: int = chosen_number("processes that handle hosts (default: one a core from 100 hosts on)", 256)
    scheduler: str | None = text("have the workers of this dask scheduler handle the hosts: tls://HOST:8786")
    user: str | None = text("log in as this user (default: ansible_user)")
    private_key: str | None = text("log in with this private key file")
    transport: str | None = text("what speaks SSH: fabric, or openssh (this machine's ssh; its connections stay open)")
    ask_become_pass: bool = flag("ask for the sudo password")
    vault_password_file: Sequence[str] = repeated("file with the vault password, or a program that prints it")
    vault_id: Sequence[str] = repeated("LABEL@FILE or LABEL@prompt: the vault password of one vault id")
    ask_vault_pass: bool = flag("ask for the ansible-vault password")
    json: bool = flag("one JSON object on standard output, progress on standard error")
    verbose: int = counted("more detail; repeat to include unchanged resources")
    pattern: str | None = text("the hosts to show (default all)")
    k: str | None = text("only checks whose names match; the expression of pytest's -k")
    deep: bool = flag("also read each downloaded file and compare its checksum")
    junit: str | None = text("write the results as JUnit XML into this file")
    timeout: int = number("seconds that the command may take on a host", 600, 1, DAY)
    wait: int = number("seconds to wait for hosts that another run is changing", 0, 0, DAY)
    force: bool = flag("change nodes without draining them first")
    prune: bool = flag("remove what this toolkit made and no role declares any more")
    save: str | None = text("write the plan into this file, for deploy --plan")
    plan: str | None = text("apply the plan saved in this file, or nothing if hosts have changed since")
    run: str | None = text("the run's name, as history shows it")
    resource: str | None = text("a resource's name, as plan shows it: 'File /etc/hosts'")
    path: str | None = text("a path on the hosts: /etc/hosts")
    yes: bool = flag("do it without asking")
    snapshot: str | None = text("the snapshot to restore: a file, or its name in the site's folder of snapshots")
    file: Sequence[str] = repeated("a file with manifests; repeatable")
    output: str | None = text("write the manifests into this file, and not to standard output")
    purge: bool = flag("delete the hosts' disks and keys too")
    bare: bool = flag("start the hosts, but skip building packages and images")
    hard: bool = flag("cut the power instead of rebooting cleanly")
    vm: bool = flag("also start hdss7-23, a virtual machine with its own kernel, for ipvs")
    host: str | None = positional("the host's name")
    directory: str | None = positional("the folder to create")
    url: str | None = positional("the URL, as in http://demo.od.com/path")
    method: str | None = text("the request's method (default GET); another one is sent once, by the real path")
    header: Sequence[str] = repeated("a header of the request, 'Name: value'; repeatable")
    bundle: str | None = text("write all that was asked into this file, for --replay; no secret is in it", name="save")
    replay: str | None = text("judge the bundle in this file instead of asking hosts")
    from_host: str | None = text("ask from this host, as a client there does", name="from")
    html: str | None = text("write the trace as a page for a browser into this file")
    for_time: str | None = text("how long to watch: 90s, 10m, 2h (default: until Ctrl-C)", name="for")
    urls: Sequence[str] = repeated("a URL to watch; repeatable", name="url")
    with_file: str | None = text("say what would happen with the Ingresses in this file", name="with")
    site_name: str | None = text(
        "the site's name that 127.0.0.1 serves (default: Traefik's, traefik.od.com)", name="host"
    )
    port: int = number("port on 127.0.0.1 that serves the site", HTTP_PORT, 1, 65535)
    proxy_port: int = number("port on 127.0.0.1 of the HTTP proxy", PROXY_PORT, 1, 65535)
    words: Sequence[str] = ()

    def __post_init__(self) -> None:
        for each in OPTIONS.values():
            each.check(getattr(self, each.field))

    @property
    def lab_name(self) -> str:
        """The lab meant: --lab, or main."""
        return self.lab or "main"

    def vault(self) -> Vault:
        """What opens encrypted files and values. Asks for the password if told to."""
        from hdss7.passwords import vault

        return vault(self.vault_password_file, self.vault_id, self.ask_vault_pass)

    def selection(self) -> Selection:
        """What of the site is meant and how to log in. Asks for the sudo password if told to."""
        from hdss7.passwords import typed
        from provision.inventory.access import TRANSPORTS
        from provision.project import Selection

        if self.private_key and not expanded(self.private_key).is_file():
            raise InputError(
                f"--private-key {self.private_key}: there is no such file", do="Name the file of the private key"
            )
        if self.transport not in (None, *TRANSPORTS):
            raise InputError(
                f"--transport {self.transport}: there is no such transport", do=f"Write one of: {', '.join(TRANSPORTS)}"
            )
        return Selection(
            limit=self.limit,
            tags=_split("--tags", self.tags),
            skip_tags=_split("--skip-tags", self.skip_tags),
            user=self.user,
            private_key=self.private_key,
            transport=self.transport,
            become_password=typed("sudo password: ") if self.ask_become_pass else None,
        )


# Every option, by the field of Options that holds its value.
OPTIONS: Mapping[str, Option] = {
    each.name: replace(option, field=each.name, name=option.name or each.name.replace("_", "-"))
    for each in fields(Options)
    if (option := each.metadata.get("option"))
}


def _split(option: str, values: Sequence[str]) -> frozenset[str]:
    tags = [tag.strip() for value in values for tag in value.split(",")]
    if not all(tags):
        raise InputError(f"{option} has an empty tag in it", do="Give tags joined by commas: base,edge")
    return frozenset(tags)
