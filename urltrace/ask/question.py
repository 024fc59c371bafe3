"""What one place is asked, as a question of the engine: one script, many answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from provision.facts.question import Question
from provision.remote.shell import Scripts, words
from urltrace import dns
from urltrace.evidence import Answer, Site
from urltrace.exchange import FORMAT
from urltrace.own import SECONDS
from urltrace.request import Request

SCRIPTS = Scripts(__file__)
LIMIT = 2.2  # seconds for one request
MOST_ERRORS = 4096  # characters
FILE = re.compile(r"\./(\d+\.(?:question|code|out|err))")
API_LIMIT = 6  # seconds for all questions to the API
LARGE = 1.0  # of them for a large one, which a small one follows where it was silent
BEGINS = "trace "  # and a number: the answers of one question follow
TRACE_HEADER = "X-Hdss7-Trace"


@dataclass(frozen=True)
class TraceQuestion(Question):
    """Everything that a trace asks of one place. The answer is a tuple of evidence's Answers.

    places: outside, edge, node, master, dns_host: all that the host is. own: the host port of a node, ADDRESS:PORT.
    kubectl: the program with its kubeconfig, as it is typed. token: finds this trace's requests in logs; the location
    stands behind it. besides: questions of
    a project's own roles, and their commands.
    """

    location: str
    places: tuple[str, ...]
    request: Request
    site: Site
    token: str
    own: str = ""
    kubectl: str = "kubectl"
    besides: tuple[tuple[str, str], ...] = ()

    @classmethod
    def script(cls, questions: Sequence[Self]) -> str:
        return "\n".join(f"echo {BEGINS}{number}\n(\n{one._script()}\n)" for number, one in enumerate(questions))

    @classmethod
    def read(cls, questions: Sequence[Self], output: str, code: int) -> Mapping[Self, tuple[Answer, ...]]:
        parts = re.split(rf"^{BEGINS}\d+\n", output, flags=re.MULTILINE)[1:]
        return {one: tuple(_answers(part, one.location)) for one, part in zip(questions, parts, strict=False)}

    def _script(self) -> str:
        sent, site = self.request, self.site
        uri = sent.path + (f"?{sent.query}" if sent.query else "")
        asked = (words(["ask", name, "timeout", str(SECONDS), "sh", "-c", command]) for name, command in self.besides)
        besides = "\n".join(("besides() {", *asked, ":", "}", ""))  # no subshell: `ask` counts
        return (
            besides
            + SCRIPTS.text("master")
            + SCRIPTS.text("reverse_path")
            + SCRIPTS.call(
                "trace",
                PLACES=" ".join(self.places),
                NAME=sent.name,
                HOST=_header(f"Host: {sent.host}"),
                CONFIG="\n".join(self._config()),
                ADDRESS=f"{sent.scheme}://{sent.host}",
                URI=_escaped(uri),
                METHOD=sent.method,
                TOKEN=self.token,
                PORT=str(sent.port),
                TARGETS=" ".join(f"{node.address}:{site.traefik_port}" for node in site.nodes),
                EDGES=" ".join(edge.address for edge in site.edges),
                SERVERS=" ".join(server.address for server in site.dns),
                QUERY=dns.printf(dns.query(sent.name)),
                HOSTPORT=str(site.traefik_port),
                LIMIT=str(LIMIT),
                FORMAT=FORMAT,
                SHORT=str(LARGE),
                REST=f"{LIMIT - LARGE:.1f}",
                OWN=self.own,
                API=site.api,
                KUBECTL=self.kubectl,
                LONGEST=str(API_LIMIT),
                CNI="/var/lib/cni",
                LOGS="/var/log/pods",
                HAPROXY="/etc/haproxy",
                CERTIFICATES=" ".join(site.certificates),
            )
        )

    def _config(self) -> list[str]:
        """Headers as lines of curl's configuration: never arguments, which everybody on a host can read."""
        headers = ((TRACE_HEADER, f"{self.token}.{self.location}"), *self.request.headers)
        return [_header(f"{name}: {value}") for name, value in headers]


def _header(line: str) -> str:
    return f'header = "{_escaped(line)}"'


def _escaped(text: str) -> str:
    """For a double-quoted value of curl's configuration."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _answers(part: str, location: str) -> Iterator[Answer]:
    """The files that the script prints: the name of each by itself, then its lines after a blank."""
    files: dict[str, list[str]] = {}
    held: list[str] = []
    for line in part.split("\n"):
        if line.startswith(" "):
            held.append(line[1:])
        elif found := FILE.fullmatch(line):
            held = files.setdefault(found[1], [])
    for number in sorted(int(name.partition(".")[0]) for name in files if name.endswith(".question")):
        lines = [files.get(f"{number}.{kind}", []) for kind in ("question", "code", "out", "err")]
        name, code, output, errors = ("".join(f"{line}\n" for line in held) for held in lines)
        yield _answer(name.strip(), output, errors[:MOST_ERRORS], code.strip(), location)


def _answer(name: str, output: str, errors: str, code: str, location: str) -> Answer:
    shown, status = output, int(code) if code.isdigit() else 255
    if name.startswith(("dig ", "cache ")):
        shown, status = _dns(shown, status)
    if name.startswith("http "):
        shown = shown.replace("\r\n", "\n")
    return Answer(name, location, shown, status, errors)


def _dns(text: str, code: int) -> tuple[str, int]:
    try:
        return dns.described(bytes.fromhex("".join(text.split()))), 0
    except ValueError:
        return ";; no servers could be reached\n", code or 9
