"""What `invoke lab.*` calls. Each says what it does through `say`, and raises ProvisionErrors."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab import container, ipc, lifecycle, ops_host, preflight
from lab import ssh as ssh_client
from lab.artifacts.cache import Doing, unseen
from lab.ipc import HostState, Request
from lab.sources import DIAL
from lab.state import Lab
from lab.topology import SITE, HostSpec, Topology, topology
from provision.errors import FailedError, InputError
from provision.inventory.vault import Vault
from provision.remote.masters import kept
from provision.usage import usage

ROOT = Path(__file__).resolve().parent.parent
# in a clone the inventories are at the top, in an installed package they are its data
INVENTORIES = next((d for d in (ROOT / "hdss7/data/inventory", ROOT / "inventory") if d.is_dir()), ROOT / "inventory")
INVENTORY, MACHINE = INVENTORIES / "lab", INVENTORIES / "lab-vm"
Say = Callable[[str], None]


def up(
    name: str = "main",
    inventory: Sequence[Path] = (INVENTORY,),
    *,
    wait_artifacts: bool = True,
    vm: bool = False,
    vault: Vault | None = None,
    say: Say = print,
    doing: Doing = unseen,
) -> None:
    """Bring a lab up, whatever state it is in: its hosts answer to SSH when this returns. One that is up gets the hosts
    that the inventory has more.

    inventory: the site that the lab stands for; vault opens what is encrypted in it. wait_artifacts: also build what
    the ops host serves; without it the hosts are bare and can fetch nothing that is not in the cache yet.
    vm: also hdss7-23, a virtual machine with a kernel of its own. doing: gets what runs now, for a terminal to show.
    """
    lab = Lab.named(name)
    wanted = _topology((*inventory, MACHINE) if vm else inventory, vault)
    with lab.locked():
        here = {spec.name for spec in lab.topology().hosts} if lab.daemon_process() is not None else set()
        more = [spec for spec in wanted.booted if spec.name not in here]
        if more:
            machines = sum(spec.virtual for spec in more)
            seen = preflight.look(lab.directory, vm=machines > 0)
            preflight.check(seen, len(more) - machines, bare=not wait_artifacts, machines=machines)
    if not wait_artifacts:
        from lab.artifacts.rootfs import host_tree, machine_tree

        def tree(spec: HostSpec) -> Path:
            progress = _progress(say)
            return machine_tree(progress, doing) if spec.virtual else host_tree(progress, doing, spec.suite)

        _bring_up(lab, wanted, tree, say)
        return
    from lab.artifacts.catalog import Preparation

    suites = {spec.suite for spec in wanted.booted}
    machine = any(spec.virtual for spec in wanted.booted)
    with Preparation(_progress(say), suites=suites, machine=machine, doing=doing) as built:
        _bring_up(lab, wanted, lambda spec: (built.machine if spec.virtual else built.trees[spec.suite]).result(), say)
        catalog = built.catalog.result()
        lifecycle.publish(lab, wanted, catalog.directory, catalog.variables)


def down(name: str = "main", *, purge: bool = False, say: Say = print) -> None:
    """Take a lab down: no process, mount, namespace or control group of it stays. Disks stay, unless `purge`."""
    lab = Lab.named(name)
    for connection in kept(dial=f"{DIAL} {name}"):  # while its hosts still answer
        connection.end()
    with lab.locked():
        was_up = lifecycle.take_down(lab)
        if purge:
            lab.purge()
    say(f"lab {name} {'went down' if was_up else 'is down already'}{', its files are gone' if purge else ''}")


def status(name: str = "main", *, say: Say = print) -> Mapping[str, HostState]:
    """Say how each host is. Returns the state of each booted host; empty when the lab is down."""
    lab = Lab.named(name)
    if lab.daemon_process() is None:
        say(f"lab {name} is down")
        return {}
    states = ipc.ask(lab, Request("status")).hosts
    for spec in lab.topology().hosts:
        say(f"{spec.name:12} {spec.address:15} {_condition(states.get(spec.name))}")
    return states


def reboot(name: str, host_name: str, *, hard: bool = False, say: Say = print) -> None:
    """Reboot a host, in order or (hard) by cutting its power; it answers to SSH again when this returns."""
    lab, spec = _booted(name, host_name)
    started = time.monotonic()
    ipc.ask(lab, Request("cycle" if hard else "reboot", spec.name))
    lifecycle.await_ssh(lab, spec)
    say(f"{spec.name} is back after {time.monotonic() - started:.1f} s")


def power(name: str, host_name: str, on: bool) -> None:
    """Cut a host's power, or give it back."""
    lab, spec = _booted(name, host_name)
    ipc.ask(lab, Request("on" if on else "off", spec.name))
    if on:
        lifecycle.await_ssh(lab, spec)


def execute(name: str, host_name: str, argv: Sequence[str]) -> int:
    """Run a command on a host as root, past its sshd, on this terminal. Returns its exit code.

    argv: one word is a line for the shell, several are run as they are. On a virtual machine it comes by ssh.
    """
    words = ["sh", "-c", *argv] if len(argv) == 1 else argv
    return subprocess.run(command(name, host_name, words), check=False).returncode


def ssh(name: str, host_name: str, argv: Sequence[str] = ()) -> int:
    """Log in to a host as the lab's operator, with this machine's ssh, or run one command so. Returns ssh's code."""
    return subprocess.run(ssh_command(name, host_name, argv), check=False).returncode


def ssh_command(name: str, host_name: str, argv: Sequence[str] = ()) -> list[str]:
    """The command line that logs in to a host: with the lab's keys, through its jump host if it has one."""
    lab = Lab.named(name)
    spec = lab.topology().host(host_name)
    if spec.ops:
        return ops_host.command(lab, list(argv) or [os.environ.get("SHELL", "/bin/sh")])
    return ssh_client.command(lab, spec, argv)


def command(name: str, host_name: str, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` on a host of a lab; on the ops host, with its resolver and hosts file.

    Raises FailedError when the lab or the host is down, InputError for a host that it has not.
    """
    lab = Lab.named(name)
    spec = lab.topology().host(host_name)
    if not spec.ops:
        return container.command(lab, spec, list(argv))
    return ops_host.command(lab, list(argv))


def _bring_up(lab: Lab, wanted: Topology, tree: Callable[[HostSpec], Path], say: Say) -> None:
    started = time.monotonic()
    with lab.locked() as lock:
        was_up = lifecycle.bring_up(lab, wanted, tree, lock, say)
    how = "is up already" if was_up else f"came up in {time.monotonic() - started:.1f} s"
    say(f"lab {lab.name} {how}: {wanted.described}")


def _topology(inventory: Sequence[Path], vault: Vault | None) -> Topology:
    from provision.inventory import Inventory

    return topology(Inventory.load(list(inventory), namespaces=frozenset({SITE}), vault=vault))


def _progress(say: Say) -> Callable[[str, str], None]:
    return lambda artifact, message: say(f"{artifact}: {message}")


def _booted(name: str, host_name: str) -> tuple[Lab, HostSpec]:
    lab = Lab.named(name)
    spec = lab.topology().host(host_name)
    if spec.ops:
        raise InputError(
            "the ops host is a namespace without an init: it has no power switch",
            host=spec.name,
            do="Name another host of the lab",
        )
    if lab.daemon_process() is None:
        raise FailedError(f"the lab {name} is down", do=f"Start it: {usage(f'lab.up{lab.option}')}")
    return lab, spec


def _condition(state: HostState | None) -> str:
    if state is None:
        return "a namespace: programs of this machine run in it"
    if state.on:
        return "on" if state.boots == 1 else f"on, booted {state.boots} times since lab.up"
    return f"off: {state.ended or 'its power was cut'}"
