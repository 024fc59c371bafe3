"""`ping` and `run`: the hosts of a limit at once, without any role."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hdss7.options import Options
from hdss7.project import open_project
from hdss7.report import text
from hdss7.workers import handling
from provision.errors import Exit, FailedError, ProvisionError, UnreachableError, worst
from provision.remote.host import RemoteHost
from provision.remote.pool import HostPool, HostResult
from provision.remote.protocol import Step

PING = '. /etc/os-release; printf "%s\\n" "$PRETTY_NAME" "$(id -un)" "$(uname -r)"'
LOOP_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What one host said. code: of the command. login: seconds until it took the first step; seconds: of that step."""

    host: str
    code: int = 0
    output: str = ""
    errors: str = ""
    login: float = 0.0
    seconds: float = 0.0
    error: ProvisionError | None = None
    connections: int = 0
    execs: int = 0

    @property
    def exit(self) -> Exit:
        """OK when it could be asked."""
        return self.error.exit if self.error else Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """Its part of `--json`."""
        status = (
            "unreachable" if isinstance(self.error, UnreachableError) else "failed" if self.error or self.code else "ok"
        )
        return {
            "status": status,
            "changes": [],
            "after": [],
            "error": self.error.explanation.as_dict() if self.error else None,
            "connections": self.connections,
            "execs": self.execs,
            "seconds": round(self.login + self.seconds, 3),
            "code": None if self.error else self.code,
            "output": self.output,
            "errors": self.errors,
        }


def ping(options: Options) -> int:
    """Log in to each host, become who the inventory says, and say what answered."""
    answers = asked(options, Step(PING, timeout=LOOP_SECONDS), lambda _: None)
    code = worst([answer.exit for answer in answers])
    rows = [("host", "system", "user", "kernel", "login s", "answer ms")]
    for answer in answers:
        if answer.error is None:
            system, user, kernel = [*answer.output.splitlines(), "", "", ""][:3]
            rows.append((answer.host, system, user, kernel, f"{answer.login:.2f}", f"{answer.seconds * 1000:.0f}"))
    return _end(answers, code, options, text.columns(rows, right=(4, 5)) if len(rows) > 1 else [])


def run(options: Options) -> int:
    """Run a command on each host. One word is a line for the shell; several are run exactly as they are."""
    words = options.words
    script = words[0] if len(words) == 1 else shlex.join(words)
    lock = threading.Lock()

    def show(answer: Answer) -> None:
        with lock:
            _prefixed(answer.host, answer.output, sys.stderr if options.json else sys.stdout)
            _prefixed(answer.host, answer.errors, sys.stderr)

    answers = asked(options, Step(f"{script}\n", timeout=options.timeout), show)
    answers = [_timed_out(answer, options.timeout) for answer in answers]
    broken = worst([answer.exit for answer in answers])
    code = max((answer.code for answer in answers), default=0)
    return _end(answers, int(broken) or code, options, [])


def asked(options: Options, step: Step, show: Callable[[Answer], None]) -> list[Answer]:
    """Runs one step on every host within the limit, side by side; `show` gets each answer as it comes.

    Ctrl-C cuts the connections; a started step runs to its end on the host, or to its timeout.
    """
    site = open_project(options)
    selection = options.selection()
    logins = [site.project.login(host, selection) for host in site.project.hosts(options.limit, adhoc=True)]
    site.check_up()

    def ask(host: RemoteHost) -> Answer:
        answer = _ask(host, step)
        show(answer)
        return answer

    with handling(options, len(logins)) as handled:
        hosts = [handled.reach(login) for login in logins]
        return [result.value or _not_asked(result) for result in HostPool(handled.forks).for_each(hosts, ask)]


def _ask(host: RemoteHost, step: Step) -> Answer:
    began = time.monotonic()
    try:
        session = host.session()
        session.begin()
        ready = time.monotonic()
        result = session.run(step)
        return Answer(
            host.name,
            result.code,
            result.output,
            result.errors,
            login=ready - began,
            seconds=time.monotonic() - ready,
            connections=host.connections,
            execs=host.execs,
        )
    finally:
        host.close()


def _not_asked(result: HostResult[RemoteHost, Answer]) -> Answer:
    host = result.host
    return Answer(host.name, error=result.error, login=result.seconds, connections=host.connections, execs=host.execs)


def _timed_out(answer: Answer, seconds: int) -> Answer:
    if answer.error or answer.code != 124 or answer.seconds < seconds:
        return answer
    error = FailedError(
        "the command did not end in time",
        host=answer.host,
        found=f"it was ended after {seconds} s",
        do="Give it more: --timeout SECONDS",
    )
    return replace(answer, error=error)


def _end(answers: Sequence[Answer], code: int, options: Options, lines: list[str]) -> int:
    out = sys.stderr if options.json else sys.stdout
    for line in lines:
        print(line, file=out)
    sys.stdout.flush()
    errors = (replace(a.error.explanation, host=a.host) for a in answers if a.error)
    for paragraph in text.paragraphs(errors, verbose=options.verbose):
        print(paragraph, file=sys.stderr)
    if options.json:
        from hdss7.report.json import encode

        print(encode({answer.host: answer.as_dict() for answer in answers}, None, code))
    return code


def _prefixed(host: str, output: str, stream: Any) -> None:
    for line in output.splitlines():
        print(f"{host}: {line}", file=stream)
    stream.flush()
