"""Looks for secrets where nobody may find them: what was printed and kept, and what runs while it runs."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab import commands

BIGGEST = 50_000_000  # bytes of a file that is still read whole
PAUSE = 0.005  # seconds between two looks at all processes
# what everybody may read: looked at as a user who is nobody, with the patterns on standard input
OPEN = (
    "exec setpriv --reuid=65534 --regid=65534 --clear-groups"
    " grep -rlsF --devices=skip -f - /etc /var /run /tmp /srv /data /opt /home /root /usr/local /dev/shm"
)
NOTES = (
    "p=$(mktemp); cat >$p; grep -rlsF -f $p /var/lib/provision;"
    " journalctl --no-pager --all | grep -qF -f $p && echo journal; rm $p"
)


def _encoded(canary: bytes) -> Iterator[bytes]:
    """What base 64 makes of a text wherever in a longer one it stands."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + canary)
        first = (before * 8 + 5) // 6
        last = (before + len(canary)) * 8 // 6
        yield whole[first:last]


class Scanner:
    """Knows canaries by name. `found`: where which of them was seen, as 'place: name'."""

    def __init__(self, canaries: Mapping[str, str]) -> None:
        self._forms = {
            form: name for name, canary in canaries.items() for form in (canary.encode(), *_encoded(canary.encode()))
        }
        self.found: set[str] = set()
        self.looks = 0

    def look(self, place: str, data: bytes | str) -> None:
        """Look through what was printed or kept somewhere."""
        data = data.encode() if isinstance(data, str) else data
        self.found |= {f"{place}: {name}" for form, name in self._forms.items() if form in data}

    def files(self, place: str, root: Path, *, without: tuple[Path, ...] = ()) -> int:
        """Every file below a folder of the controller, whoever may read it. Returns how many."""
        count = 0
        for directory, below, names in os.walk(root):
            below[:] = [name for name in below if Path(directory, name) not in without]
            for path in (Path(directory, name) for name in names):
                if path not in without and path.is_file() and path.stat().st_size < BIGGEST:
                    self.look(f"{place} {path.relative_to(root)}", path.read_bytes())
                    count += 1
        return count

    def host(self, lab: str, name: str) -> None:
        """What everybody on a host may read, what this toolkit notes there, and its journal."""
        patterns = b"".join(form + b"\n" for form in self._forms)
        for place, script in (("open on the host", OPEN), ("noted on the host", NOTES)):
            argv = commands.command(lab, name, ["sh", "-c", script])
            done = subprocess.run(argv, input=patterns, capture_output=True, timeout=120, check=False)
            assert b"rror" not in done.stderr, done.stderr
            self.found |= {f"{place}: {path}" for path in done.stdout.decode().split()}

    @contextmanager
    def tracking(self) -> Iterator[None]:
        """Look at the arguments and the environment of every process, hosts' included, as often as the machine can."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,))
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(PAUSE):
            for process in filter(str.isdecimal, os.listdir("/proc")):
                for what in ("cmdline", "environ"):
                    try:
                        self.look(what, Path("/proc", process, what).read_bytes())
                    except OSError:  # it has ended
                        break
            self.looks += 1
