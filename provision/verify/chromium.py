"""A headless Chromium, driven through its DevTools pipe (two file descriptors: no port, nothing to guess)."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from provision.errors import FailedError, InputError

PACKAGE = "chromium"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # it runs as root, on pages of the site's own
    "--ignore-certificate-errors",  # whether clients trust the edge is asked by a check of its own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--window-size=1280,900",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and writes to 4, each message ended by a NUL byte.
ENDED = "it has ended"
ON_PIPES = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'


def program() -> str:
    """The browser's path, '' when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), "")


class Slow(FailedError):  # noqa: N818 - read as: the browser was slow
    """The browser, or the page in it, gave no answer in time."""

    def __init__(self) -> None:
        super().__init__("the browser gave no answer in time")


class Chromium:
    """One browser with one page. Use as a context manager: its processes and profile are gone afterwards.

    wrap: makes of a command line the one that runs it where the site is looked at from.
    Raises InputError when no browser is installed, FailedError when it does not start or answer in time.
    """

    def __init__(self, wrap: Callable[[list[str]], list[str]], flags: tuple[str, ...] = ()) -> None:
        path = program()
        if not path:
            raise InputError(
                "there is no browser on this controller",
                found=f"looked for {', '.join(PROGRAMS)}",
                do=f"Install it: apt-get install {PACKAGE} (make does)",
            )
        self._profile = tempfile.TemporaryDirectory(prefix="verify-browser-", ignore_cleanup_errors=True)
        folder = self._profile.name
        browser = [path, *FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"]
        self._errors = Path(folder, "stderr")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                wrap(["sh", "-c", ON_PIPES, "sh", *browser]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env={**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder},
            )
        assert self._process.stdin
        assert self._process.stdout
        self._out, self._in = self._process.stdin, self._process.stdout
        self._numbers = itertools.count(1)
        self._buffer = bytearray()
        self._page = ""

    def __enter__(self) -> Chromium:
        try:
            target = self._call("Target.createTarget", {"url": "about:blank"}, 30)["targetId"]
            self._page = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, 10)["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._out.close()
        self._in.close()
        self._profile.cleanup()

    def open(self, url: str, seconds: float) -> str:
        """Go to a URL. Returns what kept it from being shown (net::ERR_NAME_NOT_RESOLVED), '' when nothing did."""
        return str(self._call("Page.navigate", {"url": url}, seconds).get("errorText", ""))

    def reload(self) -> None:
        """The page as its server gives it now."""
        self._call("Page.reload", {}, 10)

    def until(self, expression: str, seconds: float) -> Any:
        """The value of a JavaScript expression once it is true, or what it is when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.value(expression)
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page, None when it throws."""
        answer = self._call("Runtime.evaluate", {"expression": expression, "returnByValue": True}, 10)
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The page as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", {"format": "png"}, 15)["data"]))

    def _call(self, method: str, parameters: Mapping[str, Any], seconds: float) -> Any:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._page:
            message["sessionId"] = self._page
        try:
            self._out.write(json.dumps(message).encode() + b"\0")
            self._out.flush()
        except BrokenPipeError:
            raise self._failed(ENDED) from None
        deadline = time.monotonic() + seconds
        while True:
            answer = self._read(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise self._failed(f"{method}: {answer['error'].get('message')}")
                return answer["result"]

    def _read(self, deadline: float) -> Any:
        """The next message. Raises FailedError when the browser ends, or says nothing until the deadline."""
        while True:
            message, separator, rest = self._buffer.partition(b"\0")
            if separator:
                self._buffer = rest
                return json.loads(message)
            if not select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Slow
            data = os.read(self._in.fileno(), 1 << 20)
            if not data:
                raise self._failed(ENDED)
            self._buffer += data

    def _failed(self, why: str) -> FailedError:
        """With what the browser said when it ended; while it runs it complains of much that does not matter."""
        last_lines = self._errors.read_text(errors="replace").strip().splitlines()[-3:] if why == ENDED else []
        return FailedError("the browser can't be used", found="\n".join([why, *last_lines]))
