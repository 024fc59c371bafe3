"""Bringing a lab up and taking it down, from whatever state a crash left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from lab import container, disk, facts, ipc, keys, network, ops_host
from lab.daemon import READY, at_once
from lab.ipc import Answer, Request
from lab.state import Lab, read, write
from lab.topology import HostSpec, Topology
from provision.atomic import replace_link
from provision.errors import FailedError, InputError
from provision.usage import usage

ROOT = Path(__file__).resolve().parent.parent
BOOT_SECONDS = 60.0
MACHINE_BOOT_SECONDS = 300.0  # an emulated processor is slower by an order of magnitude
GREETING_SECONDS, MACHINE_GREETING_SECONDS = 1.0, 20.0  # from a connection to sshd's first words
DYING_SECONDS = 10.0
OFF_SECONDS = 3.0  # a host that reboots by itself is off for a moment
PAUSE = 0.02
Say = Callable[[str], None]


def bring_up(lab: Lab, wanted: Topology, tree: Callable[[HostSpec], Path], lock: int, say: Say) -> bool:
    """Have every host boot, and wait for their sshds. Returns whether all of them ran already.

    tree: gives what a host's disk lies on, in its time. lock: the lab's, held by the caller.
    Hosts that the inventory has more than a lab that runs are added to it. Raises InputError when a running host would
    change or go, FailedError when one does not come up.
    """
    if lab.daemon_process() is not None:
        _add_hosts(lab, wanted, tree, say)
        states = ipc.ask(lab, Request("status")).hosts
        off = [spec for spec in wanted.booted if not states[spec.name].on]
        at_once(_on(lab, spec) for spec in off)
        at_once(_ssh(lab, spec) for spec in wanted.booted)
        return not off
    if sweep(lab):
        say(f"lab {lab.name}: removed what an earlier run left")
    lab.directory.mkdir(parents=True, exist_ok=True)
    lab.directory.chmod(0o700)
    _install(lab, wanted, tree)
    if not lab.inventory.exists():
        facts.write(lab, wanted, {})
    _start_daemon(lab, lock)
    at_once(_ssh(lab, spec) for spec in wanted.booted)
    return False


def _install(lab: Lab, wanted: Topology, tree: Callable[[HostSpec], Path]) -> None:
    """Give each host that lacks them its keys and its disk, and record the hosts."""
    keys.ensure_all(lab.keys, wanted.booted)
    for spec in wanted.booted:
        disk.ensure(lab, wanted, spec, tree(spec))
    write(lab.record, wanted.public)
    ops_host.write_files(lab, wanted)


def _add_hosts(lab: Lab, wanted: Topology, tree: Callable[[HostSpec], Path], say: Say) -> None:
    """Add what an inventory has more than a lab that runs. Raises InputError when a running host would change."""
    running = lab.topology()
    added = [spec.name for spec in wanted.public.hosts if spec not in running.hosts]
    # where names lead is no host's: it may move from an edge to an address that edges share
    same = msgspec.structs.replace(running, hosts=wanted.public.hosts, edge=wanted.edge)
    if same != wanted.public or not set(running.hosts) <= set(wanted.public.hosts):
        raise InputError(
            f"the lab {lab.name} runs another set of hosts than this inventory's",
            found=f"it runs {running.described}; the inventory has {wanted.described}",
            do="Hosts can be added to a lab that runs, not changed or taken away: take it down first "
            f"({usage(f'lab.down{lab.option}')}), or use another name with --lab",
        )
    if added:
        _install(lab, wanted, tree)
        ipc.ask(lab, Request("add"))
        say(f"lab {lab.name}: added {', '.join(added)}")


def take_down(lab: Lab) -> bool:
    """Remove everything of a lab but its folder. Returns whether there was anything. The caller holds the lab's lock.

    The daemon takes everything down; one that can't is killed, and `sweep` does its work.
    """
    daemon = lab.daemon_process()
    if daemon is None:
        return sweep(lab)
    try:
        ipc.ask(lab, Request("down"))
    except FailedError:
        pass
    finally:
        daemon.kill(DYING_SECONDS)
    sweep(lab)
    return True


def sweep(lab: Lab) -> bool:
    """Remove what a daemon left that was killed. Returns whether there was anything."""
    found = read(lab.record, Topology)
    left = bool(network.made(lab))
    if found is not None:
        try:
            at_once(_off(lab, spec) for spec in found.booted)
        finally:
            network.remove(lab)
    lab.daemon.unlink(missing_ok=True)
    lab.socket.unlink(missing_ok=True)
    return left


def publish(lab: Lab, wanted: Topology, directory: Path, variables: Mapping[str, Any]) -> None:
    """Have the ops host serve a folder, and write its addresses and checksums into the lab's inventory."""
    with lab.locked():
        if not lab.record.exists():
            raise FailedError(f"the lab {lab.name} was purged while its artefacts were built")
        replace_link(lab.served, directory)
        facts.write(lab, wanted, variables)


def _start_daemon(lab: Lab, lock: int) -> None:
    """Start the daemon and wait until it has booted the hosts. It inherits the lock, and releases it afterwards."""
    reading, writing = os.pipe()
    with lab.log.open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "lab.daemon", lab.name, str(writing), str(lock)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(writing, lock),
            start_new_session=True,
        )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    if answer != READY:
        raise FailedError(f"the lab {lab.name} could not be started", found=answer or f"its daemon died; see {lab.log}")


def await_ssh(lab: Lab, spec: HostSpec) -> None:
    """Wait until the host's sshd says who it is. Raises FailedError with its last words when it takes too long."""
    deadline = time.monotonic() + (MACHINE_BOOT_SECONDS if spec.virtual else BOOT_SECONDS)
    patience = MACHINE_GREETING_SECONDS if spec.virtual else GREETING_SECONDS
    seen = time.monotonic()
    while True:
        try:
            with network.dial_in(lab, spec.address, spec.port, patience, origin=spec.behind) as connection:
                if connection.recv(4) == b"SSH-" and container.admits(lab, spec):
                    return
        except OSError:
            pass
        now = time.monotonic()
        seen = now if container.running(lab, spec) else seen
        if now > min(deadline, seen + OFF_SECONDS):
            found = f"its last words:\n{container.last_words(lab, spec)}\n"
            raise FailedError("the host did not come up", host=spec.name, found=found)
        time.sleep(PAUSE)


def _on(lab: Lab, spec: HostSpec) -> Callable[[], Answer]:
    return lambda: ipc.ask(lab, Request("on", spec.name))


def _off(lab: Lab, spec: HostSpec) -> Callable[[], None]:
    return lambda: container.power_off(lab, spec)


def _ssh(lab: Lab, spec: HostSpec) -> Callable[[], None]:
    return lambda: await_ssh(lab, spec)
