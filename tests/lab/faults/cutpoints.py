"""Cuts inside one step: the programs that its script calls are counted on the host, and the n-th is the last."""

from __future__ import annotations

import threading
import time

from tests.lab.typed import Typed

PROGRAMS = ("mkdir", "head", "chown", "tar", "cp", "ln", "mv", "rm", "nginx", "sync")
FOLDER = "/run/cut"
# `pkill -s 0` ends everything of its own session: the script, what it started, and the loader. sshd then hangs up.
# `head -c 1` is the loader's own, which waits for the next step.
SHIM = """#!/bin/sh
if [ -e {folder}/at ] && [ "$*" != "-c 1" ]; then
  exec 8>>{folder}/lock; flock 8  # both ends of a pipe count
  n=$(($(cat {folder}/n) + 1)); echo $n >{folder}/n; echo "{name} $*" >>{folder}/log
  [ $n != "$(cat {folder}/at)" ] || {{ touch {folder}/reached; {then}; }}
  exec 8>&-
fi
exec {real} "$@"
"""
DIE, HANG = "pkill -KILL -s 0", "sleep 120"


def install(site: Typed, host: str, then: str = DIE) -> None:
    """Puts the counters before the programs, where sshd's PATH finds them first. `then`: what the n-th one does."""
    for name in PROGRAMS:
        real = site.on(host, f"PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v {name}")
        text = SHIM.format(folder=FOLDER, name=name, real=real, then=then)
        site.on(host, f"cat >/usr/local/bin/{name} <<'END-OF-SHIM'\n{text}END-OF-SHIM\nchmod 755 /usr/local/bin/{name}")


def remove(site: Typed, host: str) -> None:
    """The programs themselves again."""
    names = " ".join(f"/usr/local/bin/{name}" for name in PROGRAMS)
    site.on(host, f"/usr/bin/rm -rf {FOLDER} {names}")


def arm(site: Typed, host: str, at: int) -> None:
    """From now on programs are counted, and the one with this number is the last; 0: none is."""
    site.on(host, f"mkdir -p {FOLDER}; cd {FOLDER}; /usr/bin/rm -f reached log; echo 0 >n; echo {at} >at")


def stop(site: Typed, host: str) -> None:
    """From now on nothing is counted."""
    site.on(host, f"/usr/bin/rm -f {FOLDER}/at")


def disarm(site: Typed, host: str) -> tuple[bool, list[str]]:
    """(whether that program was reached, what was called until then)."""
    stop(site, host)
    said = site.on(host, f"cd {FOLDER}; test -e reached; echo $?; cat log 2>/dev/null; true")
    reached, *calls = said.splitlines()
    return reached == "0", calls


def await_reached(site: Typed, host: str, over: threading.Event, seconds: float = 60) -> bool:
    """Waits until the program with the number hangs. False when the run is over without."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not over.is_set():
        if site.on(host, f"test -e {FOLDER}/reached && echo yes || true"):
            return True
        time.sleep(0.05)
    return False
