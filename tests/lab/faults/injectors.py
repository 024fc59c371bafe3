"""What can be done to a host of the lab, each undone at the end of its block. Nothing leaves the host's namespaces."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lab import commands
from lab.network import namespace
from lab.state import Lab
from tests.lab.faults.testbed import Bench, await_none

Injection = Callable[[Bench], AbstractContextManager[None]]
NOTICED = 30  # seconds that kubelet gets to notice that a container has ended; it looks once a second
DROP = "meta l4proto { tcp, udp, icmp } drop"
TABLE = """table inet fault {
  chain incoming { type filter hook input priority -300; iifname "eth0" %(what)s; }
  chain passing { type filter hook forward priority -300; iifname "eth0" %(what)s; }
}
"""


def nothing(bench: Bench) -> AbstractContextManager[None]:
    """No fault: what the command itself asks for is the fault."""
    return script("hdss7-11", "true")(bench)


def script(host: str, do: str, undo: str = "true") -> Injection:
    """A script on a host, and another at the end."""

    @contextmanager
    def inject(bench: Bench) -> Iterator[None]:
        bench.on(host, do)
        try:
            yield
        finally:
            bench.on(host, undo)

    return inject


def frozen(host: str, program: str) -> Injection:
    """Every process of a program stopped where it is: its kernel still takes connections."""
    return script(host, f"kill -STOP $(pgrep -x {program})", f"kill -CONT $(pgrep -x {program})")


def killed(host: str, program: str, daemonset: str) -> Injection:
    """A program in a pod gets SIGKILL, and Kubernetes has noticed: before that no run can know of it."""

    @contextmanager
    def inject(bench: Bench) -> Iterator[None]:
        before = _pods(bench, daemonset)
        bench.on(host, f"kill -KILL $(pgrep -x {program})")
        await_none(lambda: "not noticed" if _pods(bench, daemonset) == before else "", NOTICED, program)
        yield

    return inject


def _pods(bench: Bench, daemonset: str) -> str:
    """How many of a DaemonSet's pods are ready, and how often each of them has been started again."""
    counts = "{.items[*].status.numberReady}: {.items[*].status.containerStatuses[0].restartCount}"
    return bench.kubectl(f"-n kube-system get daemonsets,pods -l k8s-app={daemonset} -o jsonpath='{counts}'")


def link(host: str, what: str = DROP) -> Injection:
    """The host's cable loses packets: all of them, or what an nftables statement says."""

    @contextmanager
    def inject(bench: Bench) -> Iterator[None]:
        enter = ["nsenter", f"--net={namespace(Lab.named(bench.name), host)}", "nft"]
        subprocess.run([*enter, "-f", "-"], input=TABLE % {"what": what}, text=True, check=True)
        try:
            yield
        finally:
            subprocess.run([*enter, "delete", "table", "inet", "fault"], check=True)

    return inject


def full(host: str, directory: str) -> Injection:
    """A directory on a file system of its own, as big as what it holds: not one block is free."""
    fill = f"""mkdir -p {directory}; cd {directory}
size=$(du -sk --apparent-size . | cut -f 1); kept=$(mktemp -d); cp -a . $kept/
mount -t tmpfs -o size=$((size + 64))k tmpfs {directory}; cp -a $kept/. {directory}/; rm -rf $kept
cat /dev/zero >{directory}/.filler 2>/dev/null; ! echo x >{directory}/.more 2>/dev/null"""
    return script(host, fill, f"umount {directory}")


def read_only(host: str, directory: str) -> Injection:
    """A directory that nobody can write to, as a kernel makes of a disk with errors."""
    once = f"mount --bind {directory} {directory} && mount -o remount,bind,ro {directory}"
    return script(host, once, f"umount {directory}")


def power_cut(host: str) -> Injection:
    """Off without a word, and on again."""

    @contextmanager
    def inject(bench: Bench) -> Iterator[None]:
        commands.reboot(bench.name, host, hard=True, say=lambda _: None)
        yield

    return inject


def both(*injections: Injection) -> Injection:
    """Several at a time."""

    @contextmanager
    def inject(bench: Bench) -> Iterator[None]:
        first, *others = injections
        with first(bench):
            if others:
                with both(*others)(bench):
                    yield
            else:
                yield

    return inject
