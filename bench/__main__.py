"""`make bench`: what the toolkit costs beside the floor under it, on a lab of its own. A table, and no judgement."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

from bench import idle
from bench.clock import ROOT, Sample, in_turn, invoke, median, timed
from lab import commands
from lab.artifacts.cache import Cache
from lab.state import Lab

NAME = "bench"
HOSTS = ("hdss7-11", "hdss7-21", "hdss7-22")
ADDRESSES = ("10.4.7.11", "10.4.7.21", "10.4.7.22")
RUNS = 7


def main() -> int:
    """Brings the lab up from nothing, deploys, measures, and takes it down again."""
    rows: list[tuple[str, str, str]] = []

    def row(what: str, sample: Sample, note: str = "") -> None:
        rows.append((what, f"{sample.wall:7.2f} s  {sample.cpu:6.2f} CPU s  {sample.memory:5.0f} MiB", note))
        print(f"  {what}: {sample.wall:.2f} s", flush=True)

    lab = ("--lab", NAME)
    invoke("lab.down", "--purge", *lab)
    try:
        row("lab.up, warm caches, bare hosts", invoke("lab.up", *lab))
        row("plan, bare hosts", invoke("plan", *lab, expect=(2,)))
        row("deploy, bare hosts", invoke("deploy", *lab))
        row("verify", invoke("verify", *lab))
        kept = (*lab, "--transport", "openssh")
        noop, warm, paramiko, ssh = in_turn(
            RUNS, lambda: invoke("deploy", *lab), lambda: invoke("deploy", *kept), _paramiko, _ssh
        )
        row("deploy, nothing to do", median(noop), f"median of {RUNS}, in turn with the three below")
        row("the same over kept connections", median(warm), f"ratio {_ratio(warm, paramiko)} to paramiko's floor")
        row("floor: paramiko, `true` on 3 hosts", median(paramiko), f"ratio {_ratio(noop, paramiko)}")
        row("floor: 3 × `ssh host true`, side by side", median(ssh), f"ratio {_ratio(noop, ssh)}")
        row("deploy, one changed file", _one_change(lab))
        pids = idle.processes(NAME, HOSTS)
        rows.append(("the idle lab, CPU", f"{idle.cpu(NAME, HOSTS, 20):7.1f} % of one core", "over 20 s"))
        rows.append(("the idle lab, memory", f"{idle.memory(pids):7.0f} MiB PSS", f"{len(pids)} processes"))
        row("lab.down", invoke("lab.down", *lab))
        row("lab.up, disks kept", invoke("lab.up", *lab))
        name, seconds = Cache().longest()
        rows.append(("lab.up, empty cache: longest build", f"{seconds:7.0f} s", f"{name}, as it was last built here"))
    finally:
        invoke("lab.down", "--purge", *lab)
    _print(rows)
    return 0


def _paramiko() -> Sample:
    keys = Lab.named(NAME).keys
    return timed(
        [sys.executable, "-m", "bench.floor", NAME, str(keys / "id_ed25519"), str(keys / "known_hosts"), *ADDRESSES]
    )


def _ssh() -> Sample:
    each = (shlex.join(commands.ssh_command(NAME, host, ["true"])) for host in HOSTS)
    return timed(["sh", "-c", " & ".join(each) + " & wait"])


def _one_change(lab: tuple[str, ...]) -> Sample:
    """A file that an operator changed by hand is put right."""
    argv = commands.command(NAME, "hdss7-11", ["sh", "-c", "echo '# by hand' >>/etc/hosts"])
    timed(argv)
    return invoke("deploy", *lab)


def _ratio(first: list[Sample], second: list[Sample]) -> str:
    pairs = sorted(a.wall / b.wall for a, b in zip(first, second, strict=True))
    return f"{pairs[len(pairs) // 2]:.2f} (pair by pair: {pairs[0]:.2f} to {pairs[-1]:.2f})"


def _print(rows: list[tuple[str, str, str]]) -> None:
    width = max(len(what) for what, _, _ in rows)
    print()
    for what, figures, note in rows:
        print(f"{what:<{width}}  {figures:<40} {note}")
    with tempfile.NamedTemporaryFile("w", prefix="hdss7-bench-", suffix=".txt", delete=False) as kept:
        kept.writelines(f"{what}\t{figures}\t{note}\n" for what, figures, note in rows)
    print(f"\nkept as {Path(kept.name)}; run in {ROOT.name} on this machine, whatever else it was doing")


if __name__ == "__main__":
    raise SystemExit(main())
