"""Running the programs that build an artefact, so that none of them outlives the build."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.artifacts import tools
from provision.errors import FailedError

# Killed with the thread that waits for it, and everything it started with it: a pid namespace ends as a
# whole, and what it mounted goes with its mount namespace. So even SIGKILL leaves no process and no mount.
CONTAINED = (
    "setpriv", "--pdeathsig", "KILL",
    "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
)  # fmt: skip
SHOWN_LINES = 8


class Runner:
    """Starts build steps from any thread; `stop` ends them all (Ctrl-C reaches the main thread only)."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self.stopped = threading.Event()

    def run(
        self,
        doing: str,
        argv: Sequence[str],
        log: Path,
        scratch: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        do: str = "",
    ) -> None:
        """Run one build step to its end; its output is appended to `log`.

        scratch: where it may keep temporary files; they go with this folder when the step is killed.
        env: variables besides the ones that this process has.
        doing: the step in words, for the error. do: advice for the error, by default where the log is.
        Raises InputError when the program is not installed, FailedError with its last lines when it fails.
        """
        tools.require(argv[0])
        variables = {**os.environ, "TMPDIR": str(scratch), **(env or {})}
        with log.open("a") as out, self._lock:
            if self.stopped.is_set():
                raise FailedError(f"{doing} was not started", found="the run was interrupted")
            process = subprocess.Popen(
                [*CONTAINED, *argv],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, text=True, cwd=cwd, env=variables,
            )  # fmt: skip
            self._running.add(process)
        try:
            code = process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
        if code:
            raise FailedError(
                f"{doing} failed: {argv[0]} ended with exit code {code}",
                found="interrupted" if self.stopped.is_set() else last_lines(log),
                do=do or f"the whole output is in {log}",
            )

    def stop(self) -> None:
        """End every step that runs and refuse new ones."""
        with self._lock:
            self.stopped.set()
            for process in self._running:
                process.kill()


def last_lines(log: Path, count: int = SHOWN_LINES) -> str:
    """The end of a build's output, on lines of its own, for an error message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n" + "\n".join(f"  {line}" for line in lines[-count:]) + "\n" if lines else "it printed nothing"


def output(doing: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> str:
    """What a short command prints. env: variables besides the ones that this process has.

    Raises InputError when it is not installed, FailedError when it fails.
    """
    tools.require(argv[0])
    variables = {**os.environ, **(env or {})}
    done = subprocess.run(argv, capture_output=True, text=True, env=variables, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        how = f"{argv[0]} ended with exit code {done.returncode}"
        raise FailedError(f"{doing} failed: {how}", found=done.stderr.strip())
    return done.stdout
