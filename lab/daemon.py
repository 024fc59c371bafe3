"""The lab's one long-lived process: starts the hosts, waits for them, starts a host again after its own reboot.

Run as `python -m lab.daemon NAME PIPE LOCK` by `lab.up`; takes requests until one is `down` (or until SIGTERM).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from lab import container, ipc, network
from lab.ipc import Answer, HostState, Request
from lab.process import Process
from lab.state import Lab, write
from lab.topology import HostSpec, Topology
from provision.decoding import decode
from provision.errors import FailedError, ProvisionError

READY = "ready"
ORDERLY_SECONDS = 120.0  # systemd itself kills what has not stopped after 90


class HostRunner:
    """Switches one host on and off, and starts it again after its own reboot."""

    def __init__(self, lab: Lab, topology: Topology, spec: HostSpec) -> None:
        self._lab, self._topology, self._host = lab, topology, spec
        self._changed = threading.Condition()  # guards what follows
        self._process: subprocess.Popen[bytes] | None = None
        self._boots = 0
        self._ended = ""

    def state(self) -> HostState:
        """How the host is, now."""
        with self._changed:
            return HostState(self._process is not None, self._boots, self._ended)

    def on(self) -> None:
        """Boot the host if it is off."""
        with self._changed:
            if self._process is None:
                self._start()

    def off(self) -> None:
        """Cut the host's power and remove everything but its disk."""
        with self._changed:
            self._process = None
            container.power_off(self._lab, self._host)

    def cycle(self) -> None:
        """Cut the power and boot again."""
        with self._changed:
            self.off()
            self._start()

    def reboot(self) -> None:
        """Have the host reboot itself; returns when it boots. Raises FailedError when it takes too long."""
        deadline = time.monotonic() + ORDERLY_SECONDS
        with self._changed:
            before = self._boots
        container.shut_down(self._lab, self._host, "reboot")
        with self._changed:
            while self._boots == before:
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise FailedError(
                        f"the host did not shut down within {ORDERLY_SECONDS:.0f} s",
                        host=self._host.name,
                        do="Cut its power with lab.reboot --hard",
                    )

    def _start(self) -> None:
        process = container.power_on(self._lab, self._topology, self._host)
        self._process = process
        self._boots += 1
        self._ended = ""
        self._changed.notify_all()
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the host's end, however long that takes, and do what a real machine would do then."""
        code = process.wait()
        with self._changed:
            if process is not self._process:  # the daemon itself cut the power
                return
            self._process = None
            say(f"{self._host.name} ended with {code}")
            try:
                container.power_off(self._lab, self._host)
                if container.rebooted(self._lab, self._host, code):
                    self._start()
                else:
                    self._ended = "powered off" if code == 0 else f"its process ended with code {code}"
            except ProvisionError as error:
                self._ended = str(error)
                say(str(error))


class Daemon:
    """The runners of a lab's hosts, and the requests to them."""

    def __init__(self, lab: Lab, topology: Topology) -> None:
        self._lab, self._topology = lab, topology
        self._runners = {spec.name: HostRunner(lab, topology, spec) for spec in topology.booted}

    def start(self) -> None:
        """Make the network, serve the files, boot every host."""
        from lab import file_server

        network.build(self._lab, self._topology)
        namespace = network.namespace(self._lab, self._topology.ops.name)
        threading.Thread(target=file_server.serve, args=(namespace, self._lab.served), daemon=True).start()
        at_once(runner.on for runner in self._runners.values())

    def add(self) -> None:
        """Take in the hosts that the lab's record has by now; they are off."""
        self._topology = self._lab.topology()
        known = self._runners
        added = {s.name: HostRunner(self._lab, self._topology, s) for s in self._topology.booted if s.name not in known}
        self._runners = {**known, **added}

    def down(self) -> None:
        """Cut every host's power and remove the network."""
        at_once(runner.off for runner in self._runners.values())
        network.remove(self._lab)

    def handle(self, request: Request) -> Answer:
        """Carry out one request, to its end."""
        try:
            if request.do == "down":
                self.down()
            elif request.do == "add":
                self.add()
            elif request.do != "status":
                runner = self._runners[self._topology.host(request.host).name]
                act: dict[str, Callable[[], None]] = {
                    "on": runner.on,
                    "off": runner.off,
                    "cycle": runner.cycle,
                    "reboot": runner.reboot,
                }
                act[request.do]()
        except (ProvisionError, OSError) as error:
            say(traceback.format_exc())
            return Answer(error=str(error))
        return Answer({name: runner.state() for name, runner in self._runners.items()})

    def serve(self, listener: socket.socket) -> None:
        """Take requests, each connection in a thread of its own, for ever."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = decode(ipc.read_line(connection), Request)
            except (OSError, msgspec.DecodeError) as error:
                say(f"not a request: {error}")
                return
            answer = self.handle(request)
            try:
                connection.sendall(msgspec.json.encode(answer) + b"\n")
            except OSError:
                say(f"the client that sent {request.do} closed its connection")
        if request.do == "down" and not answer.error:
            finish(self._lab)


def at_once(calls: Iterable[Callable[[], object]]) -> None:
    """Make all the calls in parallel and raise the first error after the last has ended."""
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(call) for call in calls]
    for future in futures:
        future.result()


def say(text: str) -> None:
    """Write one line to the daemon's log."""
    print(time.strftime("%F %T"), text, flush=True)


def finish(lab: Lab) -> None:
    """End the daemon: the lab is down."""
    lab.socket.unlink(missing_ok=True)
    lab.daemon.unlink(missing_ok=True)
    os._exit(0)  # from whatever thread: the others wait for nothing that matters now


def main(name: str, ready: int, lock: int) -> None:
    """Run a lab until a request or SIGTERM takes it down.

    ready: a pipe (descriptor) that gets READY, or why it failed. lock: the lab's, held until the daemon can be asked.
    """
    lab = Lab.named(name)
    topology = lab.topology()
    write(lab.daemon, Process.of(os.getpid()))
    daemon = Daemon(lab, topology)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=_terminate, args=(daemon, lab)).start())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        daemon.start()
        listener = ipc.listen(lab)
    except (ProvisionError, OSError) as error:
        say(traceback.format_exc())
        daemon.down()
        _report(ready, str(error))
        finish(lab)
    _report(ready, "")
    os.close(lock)
    daemon.serve(listener)


def _report(ready: int, error: str) -> None:
    with (
        contextlib.suppress(BrokenPipeError),
        os.fdopen(ready, "w") as pipe,
    ):  # whoever started it may have ended
        pipe.write(error or READY)


def _terminate(daemon: Daemon, lab: Lab) -> None:
    daemon.down()
    finish(lab)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
