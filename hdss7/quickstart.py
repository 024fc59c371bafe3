"""`make deploy`: bring the lab up, deploy the site and verify it, step by step, with the time that each takes.

Each step is an invoke command, run as a person would type it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hdss7.options import HTTP_PORT, Options
from provision.atomic import replace_file
from provision.errors import Exit
from provision.folders import cache_folder

INVOKE = ".venv/bin/invoke"
NEXT = f"""
The site is up. Next, see the Traefik dashboard in your browser:
  {INVOKE} lab.open      # then open http://127.0.0.1:{HTTP_PORT}/dashboard/
Then:
  {INVOKE} lab.exec hdss7-21 -- kubectl get nodes,pods -A
  {INVOKE} plan --diff   # after a change in inventory/, roles/ or templates/; then: {INVOKE} deploy
  {INVOKE} verify        # every check again
  {INVOKE} lab.down      # stops the lab; --purge removes its disks too"""


@dataclass(frozen=True)
class Step:
    """One invoke command. usual: the seconds that it takes on 2 cores, until it was measured here."""

    command: str
    title: str
    usual: float


BUILT = Step("lab.up", "Start the lab: three bare hosts", 10)
UNBUILT = Step("lab.up first", "Start the lab: build what its hosts install, boot three bare hosts", 390)
STEPS = (
    Step("deploy", "Deploy the site: edge, DNS, etcd, Kubernetes, Traefik", 60),
    Step("verify", "Verify the site: every check, from outside and from each node", 10),
)
Run = Callable[[Sequence[str]], int]


def up(options: Options) -> int:
    """Bring the lab up; on a terminal its running builds are shown with a bar each."""
    from hdss7.project import inventories, project_folders
    from hdss7.report.progress import Progress
    from lab import commands

    sources, vault = inventories(options, project_folders(options)), options.vault()
    progress = Progress(sys.stdout)
    try:
        commands.up(
            options.lab_name,
            sources,
            wait_artifacts=not options.bare,
            vm=options.vm,
            vault=vault,
            say=progress.print,
            doing=progress.doing,
        )
    finally:
        progress.close()
    return int(Exit.OK)


def quickstart(steps: Sequence[Step], run: Run, memory: Path, say: Callable[[str], None]) -> int:
    """Run the steps in order, each with its number and its expected and measured time; the first that fails ends it.

    run: takes the words of an invoke command, returns its exit code. memory: the file that keeps how long steps took.
    Returns the exit code of the step that failed, or 0.
    """
    began = time.monotonic()
    measured = _read(memory)
    for number, step in enumerate(steps, 1):
        head = f"[{number}/{len(steps)}]"
        say(f"{head} {step.title} (about {duration(measured.get(step.command, step.usual))})")
        started = time.monotonic()
        words = step.command.split()[:1]
        code = run(words)
        seconds = time.monotonic() - started
        took = f"after {duration(seconds)}, {duration(time.monotonic() - began)} in all"
        if code:
            say(f"{head} FAILED {took}: {INVOKE} {words[0]} ended with exit code {code}")
            return code
        say(f"{head} done {took}\n")
        measured = {**measured, step.command: round(seconds, 1)}
        _write(memory, measured)
    return int(Exit.OK)


def duration(seconds: float) -> str:
    """`45 s`, `12 min 5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def first_step() -> Step:
    """The lab's start: long when the programs that its hosts install are not built yet."""
    from lab.artifacts.cache import Cache

    cache = Cache()
    return BUILT if any((cache.root / "served").glob("*/record.json")) else UNBUILT


def _read(memory: Path) -> Mapping[str, float]:
    try:
        found = json.loads(memory.read_text())
        return {str(name): float(seconds) for name, seconds in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write(memory: Path, measured: Mapping[str, float]) -> None:
    memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(memory, json.dumps(measured) + "\n")


def _invoke(words: Sequence[str]) -> int:
    """Runs it on this terminal; Ctrl-C reaches it too, and its own exit code counts."""
    process = subprocess.Popen([sys.executable, "-m", "invoke", *words])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def main() -> int:
    """Everything from nothing to a verified site, and what to do next."""
    code = quickstart((first_step(), *STEPS), _invoke, cache_folder("quickstart.json"), _say)
    if code == Exit.OK:
        _say(NEXT)
    return code


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
