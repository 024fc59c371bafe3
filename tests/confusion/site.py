"""The lab that the catalogue's faults are made on, and traces of it as a user types them."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hdss7.command import run
from hdss7.options import Options
from hdss7.project import open_project
from hdss7.trace import trace
from hdss7.tracing import judged, traced
from lab import commands, ops_host
from lab.network import namespace
from lab.state import Lab
from provision.errors import Exit
from provision.verify.context import Context
from tests.lab.running import Ended
from tests.lab.typed import KUBECTL, Typed
from urltrace.catalogue.fault import CLIENT, DEMO, FOLDER, Fault
from urltrace.request import parse_request

PRELUDE = (FOLDER / "sh" / "fault.sh").read_text()
API = "hdss7-21"  # where kubectl is asked
EFFECT = 25.0  # seconds until a fault has its effect
HEALED = 60.0  # seconds until the site is well again
PADDING = "x" * 3000
SELECT = """patch svc/demo '[{"op":"replace","path":"/spec/selector","value":{"app":"%s"}}]'"""


@dataclass(frozen=True)
class Traced:
    """What one `trace` came to. seconds: of the command, but for the start of Python."""

    code: int
    said: dict[str, Any]
    seconds: float
    errors: str = ""

    @property
    def quiet(self) -> bool:
        """Whether it names no fault; what is told besides, as of a node that is being changed, is none."""
        return self.code == 0 and all(one["latent"] for one in self.said.get("findings", ()))

    @property
    def sentence(self) -> str:
        return str(self.said.get("sentence", self.errors.strip()[-200:]))


class Site(Typed):
    """A deployed lab."""

    def up(self) -> None:
        """The site, deployed; what is as declared is left alone."""
        if Lab.named(self.name).daemon_process() is None:
            commands.up(self.name, say=print)
        ended = self.invoke("deploy")
        assert ended.code == 0, str(ended)

    def down(self, *, purge: bool) -> None:
        commands.down(self.name, purge=purge)

    def script(self, host: str, text: str, *, cable: bool = False) -> Ended:
        """A script of a fault, past sshd. cable: by this machine's programs, in the host's network."""
        if host == CLIENT:
            argv = ops_host.command(Lab.named(self.name), ["sh", "-c", text])
        elif cable:
            argv = ["nsenter", f"--net={namespace(Lab.named(self.name), host)}", "sh", "-c", f"{PRELUDE}\n{text}"]
        else:
            argv = commands.command(self.name, host, ["sh", "-c", f"{PRELUDE}\n{text}"])
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return Ended(124, "", "no end within 60 s")
        return Ended(done.returncode, done.stdout, done.stderr)

    def must(self, host: str, text: str, *, cable: bool = False) -> None:
        done = self.script(host, text, cable=cable)
        assert done.code == 0, f"{host}: {text}: {done}"

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """The fault, once it has its effect; undone at the end, and where it can't be made."""
        with ExitStack() as undo:
            if objects := self._objects(fault):
                undo.callback(self._apply, f"delete --ignore-not-found --grace-period=1 --timeout=20s -f {objects}")
            if fault.pod:
                undo.callback(self.script, API, SELECT % "demo")
            if fault.elsewhere:
                undo.callback(self.script, fault.elsewhere.host, fault.elsewhere.undo)
            if fault.power:
                undo.callback(commands.power, self.name, fault.host, True)
            else:
                undo.callback(self.script, fault.host, fault.undo, cable=fault.cable)
            self._make(fault, objects)
            yield

    def _make(self, fault: Fault, objects: str) -> None:
        if fault.power:
            commands.power(self.name, fault.host, False)
            self.must(API, _awaited(fault.until))
            return
        self.must(fault.host, fault.inject, cable=fault.cable)
        if fault.elsewhere:
            self.must(fault.elsewhere.host, fault.elsewhere.inject)
        if objects:
            self._apply(f"apply -f {objects}")
        if fault.pod:
            self.must(API, f"k wait --for=condition=Ready pod/fault --timeout=20s >/dev/null; {SELECT % 'fault'}")
        if fault.until:
            self.must(fault.host, _awaited(fault.until))

    def _objects(self, fault: Fault) -> str:
        """The file on a master with the fault's objects."""
        text = POD % json.dumps(["python3", "-u", "-c", fault.pod]) if fault.pod else fault.apply
        if not text:
            return ""
        path = f"/run/fault-{fault.name}.yml"
        argv = commands.command(self.name, API, ["sh", "-c", f"cat >{path}"])
        subprocess.run(argv, input=text, text=True, check=True, timeout=30)
        return path

    def _apply(self, words: str) -> None:
        done = self.script(API, f"{KUBECTL} --request-timeout=10s {words}")
        assert done.code == 0, str(done)

    def trace(self, **options: Any) -> Traced:
        """`trace` with these options, in this process: without the start of Python, which takes half a second."""
        out, errors = io.StringIO(), io.StringIO()
        typed = Options(**{"url": DEMO, "lab": self.name, "json": True, **options})
        began = time.monotonic()
        with redirect_stdout(out), redirect_stderr(errors):
            code = run("trace", True, lambda: trace(typed))
        seconds = time.monotonic() - began
        said: dict[str, Any] = {}
        with suppress(ValueError):
            said = json.loads(out.getvalue()).get("trace") or {}
        return Traced(code, said, seconds, errors.getvalue())

    def traced(self, fault: Fault, bundle: Path) -> Traced:
        """The fault's own request."""
        headers = tuple(one.replace("PADDING", PADDING) for one in fault.headers)
        url = fault.url.replace("PADDING", PADDING)
        return self.trace(url=url, method=fault.method, header=headers, bundle=str(bundle))

    @cached_property
    def _opened(self) -> Context:
        """For traces from within this process, whose connections stay: they only see whether the site is well."""
        options = Options(lab=self.name)
        project = open_project(options).project
        return Context(project, options.selection())

    def await_healthy(self) -> None:
        """Until a trace names nothing. Fails where the site does not get well."""
        deadline = time.monotonic() + HEALED
        context = self._opened
        request = parse_request(DEMO)
        while True:
            verdict = judged(traced(context, context.locations, request), context.project)
            if not verdict.findings and verdict.exit is Exit.OK:
                return
            said = [one.sentence for one in verdict.findings] or verdict.sentence
            assert time.monotonic() < deadline, f"the site is not well again: {said}"
            time.sleep(0.3)

    def repaired(self) -> None:
        """The site as declared: by itself within a while, else by a deploy."""
        try:
            self.await_healthy()
        except AssertionError as error:
            print(f"   {str(error)[:300]}; it is deployed anew", flush=True)
            self.invoke("deploy")
            self.await_healthy()


POD = """apiVersion: v1
kind: Pod
metadata: {name: fault, namespace: default, labels: {app: fault}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: "lab.local/websocket:10.4"
    imagePullPolicy: IfNotPresent
    command: %s
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {exec: {command: [busybox, sh, -c, "busybox netstat -lnt | grep -q :8080"]}, periodSeconds: 1}
"""


def _awaited(condition: str) -> str:
    return (
        f"end=$(($(date +%s) + {EFFECT:.0f})); until {{ {condition}; }}; do "
        f"[ $(date +%s) -lt $end ] || {{ echo 'no effect' >&2; exit 1; }}; sleep 0.3; done"
    )
