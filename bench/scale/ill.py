"""A run over many hosts of which some are off, frozen, or show another key: each is named and holds nobody up."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.clock import ROOT
from bench.scale.farm import Farm

EACH = 10  # so many of each kind
HEAD = f"| hosts, {3 * EACH} of them ill | run | last well host at | last ill host at | named | lines at the end |"
KINDS = (
    ("no answer within the connect timeout", "off"),
    ("sshd sends nothing", "frozen"),
    ("the host key has changed", "another key"),
)


def row(small: Farm, argv: Sequence[str]) -> str:
    """A line below HEAD. argv: the run, which finds nothing to do on hosts that are well.

    Raises SystemExit when hosts are missed, or others are named.
    """
    with _some_ill(small) as ill:
        began = time.monotonic()
        report = json.loads(_said(small, [*argv, "--json"]).stdout)
        wall = time.monotonic() - began
        plain = _said(small, argv)
    errors = {name: host["error"] for name, host in report["hosts"].items() if host["error"]}
    if set(errors) != set(ill):
        raise SystemExit(f"ill: {' '.join(sorted(ill))}; named: {' '.join(sorted(errors))}")
    named = Counter(_kind(error) for error in errors.values())
    seconds = {name: host["seconds"] for name, host in report["hosts"].items()}
    ending = [line for line in (plain.stdout + plain.stderr).splitlines() if line and not line.startswith("! ")]
    well = max(seconds[name] for name in set(seconds) - set(ill))
    return (
        f"| {len(small.hosts)} | {wall:.1f} s | {well:.1f} s | {max(seconds[name] for name in ill):.1f} s "
        f"| {', '.join(f'{count} {kind}' for kind, count in sorted(named.items()))} | {len(ending)} |"
    )


@contextlib.contextmanager
def _some_ill(small: Farm) -> Iterator[Sequence[str]]:
    """Some hosts are ill in the block; they lie apart, so every batch has some."""
    ill = list(small.hosts)[:: len(small.hosts) // (3 * EACH)][: 3 * EACH]
    dead, frozen, wrong = ill[0::3], ill[1::3], ill[2::3]
    known = small.known_hosts.read_text()
    small.silence(dead)
    small.mistake(wrong)
    for name in frozen:
        small.stop(name, signal.SIGSTOP)
    try:
        yield ill
    finally:
        for name in frozen:
            small.stop(name, signal.SIGCONT)
        subprocess.run([*small.inside, "nft", "delete", "table", "ip", "ill"], check=True)
        small.known_hosts.write_text(known)


def _said(small: Farm, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*small.inside, *argv], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 3:  # some hosts can't be reached, and the rest is done
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def _kind(error: dict[str, str]) -> str:
    text = f"{error['what']}: {error['found']}"
    return next((kind for words, kind in KINDS if words in text), text)
