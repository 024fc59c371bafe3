"""What is asked of a place: the real script, run here against servers on 127.0.0.1."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import UnreachableError
from provision.facts.question import Question, ask
from roles._x509 import Authority, Certificate
from tests.unit.urltrace.site import SITE
from urltrace import dns
from urltrace.ask.gather import gather, questions
from urltrace.ask.question import SCRIPTS, TraceQuestion
from urltrace.evidence import OUTSIDE, Answer, Host, Site
from urltrace.exchange import read_exchange
from urltrace.kubernetes.objects import read_objects
from urltrace.redact import Redactor
from urltrace.request import Request
from urltrace.rules.control import ends
from urltrace.rules.reverse_path import dropped

RECORDED = Path(__file__).with_name("recorded") / "ingress.json"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_GET(self) -> None:
        body = f"{self.command} {self.path} {self.headers['Host']} {self.headers['X-Key']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the class looks for

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def asked(question: TraceQuestion) -> dict[str, Answer]:
    """The answers of the real script, run here."""
    request = ask([question], "mark-1")
    done = subprocess.run(["sh"], input=request.script, capture_output=True, text=True, timeout=60, check=False)
    answers: tuple[Answer, ...] = request.answers(done.stdout)[question]
    return {answer.question: answer for answer in answers}


def outside(request: Request, edges: tuple[Host, ...] = ()) -> dict[str, Answer]:
    return asked(TraceQuestion(OUTSIDE, ("outside",), request, Site("od.com", edges=edges), "token"))


def test_the_request_is_sent_as_it_is_written(port: int) -> None:
    request = Request(
        f"localhost:{port}",
        "/a/../b%20[c]",
        query='q="\\x"',
        method="POST",
        port=port,
        headers=(("X-Key", 'quo"te\\d $(touch x)'),),
    )
    answer = outside(request)["http name"]
    assert (
        answer.output.partition("\n\n")[2].rstrip("\n")
        == f'POST /a/../b%20[c]?q="\\x" localhost:{port} quo"te\\d $(touch x)'
    )
    assert read_exchange(answer).ok


def test_an_edge_is_asked_by_its_address(port: int) -> None:
    answers = outside(Request(f"nowhere.invalid:{port}", port=port), (Host("edge", "127.0.0.1"),))
    assert read_exchange(answers[f"http edge 127.0.0.1:{port}"]).status == 200
    assert read_exchange(answers["http name"]).outcome == "no name"


def test_a_closed_port_is_refused() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert read_exchange(outside(Request(f"localhost:{port}", port=port))["http name"]).outcome == "refused"


def test_a_silent_program_is_told_from_a_closed_port() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        assert read_exchange(outside(Request(f"localhost:{port}", port=port))["http name"]).outcome == "silent"


def test_a_secret_is_no_argument_of_a_program(port: int) -> None:
    script = ask([TraceQuestion(OUTSIDE, ("outside",), Request("a", headers=(("X-Key", "hunter2"),)), SITE, "t")], "m")
    lines = [line for line in script.script.splitlines() if "hunter2" in line]
    assert lines
    assert not [line for line in lines if "curl" in line]


def part(name: str, folder: Path, *arguments: str, **variables: str) -> str:
    """What one function of the script prints, in a folder."""
    found = re.search(rf"^{name}\(\) {{\n.*?^}}$", SCRIPTS.text("trace"), re.MULTILINE | re.DOTALL)
    assert found
    script = f'{found[0]}\n{name} "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    return done.stdout


PATH = "/usr/bin:/bin"
NOTED = (
    '{"capabilityArgs":{"portMappings":[{"HostPort":443,"ContainerPort":8443,"Protocol":"tcp","HostIP":""},'
    '{"HostPort":81,"ContainerPort":80,"Protocol":"tcp","HostIP":""}]},'
    '"result":{"ips":[{"address":"172.7.21.3/24","gateway":"172.7.21.1"}]}}'
)
RULES = "-A CNI-DN-a1 -p tcp -m tcp --dport 81 -j DNAT --to-destination 172.7.21.9:8000\n"


def test_traefik_is_found_where_its_network_noted_it(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "other").write_text(NOTED.replace(":81,", ":810,"))
    (tmp_path / "rules").write_text(RULES)
    assert part("traefik", tmp_path, PATH=PATH, HOSTPORT="81", CNI=str(tmp_path)) == "172.7.21.9:8000\n"
    (tmp_path / "results" / "traefik").write_text(NOTED)
    (tmp_path / "results" / "traefik-lo").write_text(NOTED.replace("172.7.21.3/24", "127.0.0.1/8"))
    assert part("traefik", tmp_path, PATH=PATH, HOSTPORT="81", CNI=str(tmp_path)) == "172.7.21.3:80\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.od.com", ["172.7.21.2:8080", "172.7.21.4:8080", "172.7.21.9:8080", "172.7.22.2:8080"]),
        ("x.wild.od.com", ["172.7.21.2:8080", "172.7.22.2:8080"]),
        ("none.od.com", []),
    ],
)
def test_pods_are_found_by_the_routers_of_a_name(tmp_path: Path, name: str, found: list[str]) -> None:
    loaded = json.loads(RECORDED.read_text())["loaded"]["class"]
    text = json.dumps(loaded, separators=(",", ":")).replace("&", "\\u0026")  # as Go writes it
    (tmp_path / "rawdata").write_text(text)
    assert part("pods", tmp_path, PATH=PATH, NAME=name).split() == found


REPLY = bytes.fromhex(
    "1234 8580 0001 0001 0001 0000 0464656d6f026f6403636f6d00 0001 0001"
    "c00c 0001 0001 0000003c 0004 0a04070b"
    "c011 0006 0001 0000003c 001a 03646e73c011 0161c011 78a3f2e5 00000001 00000002 00000003 00000004".replace(" ", "")
)


def test_an_answer_of_dns_is_described() -> None:
    assert dns.described(REPLY).splitlines() == [
        ";; status: NOERROR",
        "demo.od.com.\t60\tIN\tA\t10.4.7.11",
        "od.com.\t60\tIN\tSOA\tdns.od.com. a.od.com. 2024010469 1 2 3 4",
    ]


def test_a_question_of_dns_names_the_host() -> None:
    assert dns.query("demo.od.com")[12:] == b"\x04demo\x02od\x03com\x00\x00\x01\x00\x01"
    assert dns.printf(b"\x00a") == "\\x00\\x61"


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_a_value_error(data: bytes) -> None:
    try:
        assert dns.described(data).startswith(";; status: ")
    except ValueError as error:
        assert "DNS" in str(error)  # noqa: PT017 - either is right


SERVED = Path(__file__).with_name("served_api.py")


def of_master(kubectl: str) -> dict[str, Answer]:
    return asked(TraceQuestion("m", ("master",), Request("demo.od.com"), SITE, "token", kubectl=kubectl))


def test_the_api_is_asked_by_one_start_of_kubectl() -> None:
    found = of_master(f"{sys.executable} {SERVED}")
    assert (found["readyz"].output, found["readyz"].code) == ("[-]etcd failed\n", 22)
    assert found["objects"].code == 0
    kept = read_objects([json.loads(Redactor("salt").answer(found["objects"]).output)])
    assert [one.metadata.name for one in kept.ingresses or ()] == ["a", "b", "c"]
    assert [one.metadata.name for one in kept.pods or ()] == ["a"]


def test_the_api_is_asked_whether_the_secrets_of_ingresses_are_there() -> None:
    found = of_master(f"{sys.executable} {SERVED}")["tls secrets"]
    assert (found.code, found.output) == (0, "default/gone 404\ndefault/web 200\nother/web 200\n")


def test_the_ends_of_certificates_are_read_with_their_files(tmp_path: Path) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    authority = Authority.new("ca", now)
    key, certificate = authority.issue(Certificate("a", "a"), now, 30)
    for name, content in {"a.pem": certificate, "a-key.pem": key, "ca.pem": authority.pem[1] * 2, "x.pem": b""}.items():
        (tmp_path / name).write_bytes(content)
    said = part("ends", tmp_path, PATH=f"{PATH}:/usr/sbin", CERTIFICATES=f"{tmp_path} {tmp_path}/nowhere")
    assert sorted((Path(file).name, end) for file, end in ends(said)) == [
        ("a.pem", now + timedelta(days=30)),
        *[("ca.pem", authority.certificate.not_valid_after_utc)] * 2,
    ]


def haproxy_files(folder: Path, program: str = "haproxy") -> dict[str, str]:
    """Path -> digest, as an edge with this program says them."""
    (folder / "bin").mkdir(exist_ok=True)
    for name, line in (("programs", f"echo {program}"), ("pgrep", "exit 1")):  # a lab's HAProxy may run on this machine
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / "bin" / name).chmod(0o755)
    said = part("haproxy_files", folder, PATH=f"{folder}/bin:{PATH}", HAPROXY=str(folder / "etc"))
    return {path: digest for digest, _, path in (line.partition(" ") for line in said.splitlines())}


def test_haproxys_files_are_told_by_digests_without_passwords(tmp_path: Path) -> None:
    main, names = tmp_path / "etc/haproxy.cfg", tmp_path / "etc/site/certificates.list"
    names.parent.mkdir(parents=True)
    names.write_text("/etc/ssl/edge/od.com/1.pem *.od.com\n")
    main.write_text("global\n  stats auth ann:hunter2\nuserlist x\n  user ann insecure-password hunter2\n")
    before = haproxy_files(tmp_path)
    assert {path: len(digest) for path, digest in before.items()} == {str(main): 32, str(names): 32}
    main.write_text(main.read_text().replace("hunter2", "hunter3"))
    assert haproxy_files(tmp_path) == before
    main.write_text(main.read_text().replace("ann", "bob"))
    assert {path for path, digest in haproxy_files(tmp_path).items() if digest != before[path]} == {str(main)}
    assert haproxy_files(tmp_path, "nginx") == {}


def test_a_master_without_kubectl_says_so_at_once() -> None:
    found = of_master("/nonexistent/kubectl")
    assert found["readyz"].code == 7
    assert found["objects"].code == 7


class Fixed:
    """A location that gives one answer, or can't be reached."""

    def __init__(self, reachable: bool) -> None:
        self.reachable = reachable

    def answers(self, asked: Iterable[Question]) -> Mapping[Any, Any]:
        if not self.reachable:
            raise UnreachableError("could not log in", found="no answer within 3 s")
        return {question: (Answer("http name", question.location, "HTTP/1.1 200 OK\n\nsecret"),) for question in asked}  # type: ignore[attr-defined]


def test_a_host_that_is_silent_is_unasked() -> None:
    every = questions(SITE, Request("demo.od.com"), "token", "kubectl")
    assert [question.location for question in every] == [OUTSIDE, "hdss7-11", "hdss7-21", "hdss7-22"]
    assert [question.places for question in every[1:]] == [("dns_host", "edge"), ("master", "node"), ("master", "node")]
    found = gather(every, {one.location: Fixed(one.location != "hdss7-22") for one in every}, Redactor("salt"))
    assert [(one.location, one.why) for one in found.unasked] == [("hdss7-22", "no answer within 3 s")]
    assert len(found.answers) == 3
    assert "secret" not in found.answers[0].output


def test_of_a_pods_log_only_who_sent_the_request_is_told(tmp_path: Path) -> None:
    line = "2026-11-30T06:49:23.6Z stdout F X-Key: hunter2 X-Hdss7-Trace: token.hdss7-21, path /?q=hunter2\n"
    said = {"default_demo-1_u": line * 2 + line.replace("hdss7-21", "outside"), "default_quiet_u": "token\n"}
    for name, text in {**said, "kube-system_traefik-1_u": line, "default_old_u": line}.items():
        (tmp_path / name / "c").mkdir(parents=True)
        (tmp_path / name / "c" / "0.log").write_text(text)
    os.utime(tmp_path / "default_old_u" / "c" / "0.log", (0, 0))
    told = part("pod_logs", tmp_path, PATH=PATH, LOGS=str(tmp_path), TOKEN="token")
    assert told == "default/demo-1 from hdss7-21\ndefault/demo-1 from outside\n"
    assert part("pod_logs", tmp_path, PATH=PATH, LOGS=str(tmp_path / "none"), TOKEN="token") == ""


def test_what_listens_in_a_pod_is_asked_in_its_own_network(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    here = f'{NOTED[:-1]},"interfaces":[{{"name":"eth0","mac":"e6:5d","sandbox":"/proc/self/ns/net"}}]}}'
    (tmp_path / "results" / "cbr0-1-eth0").write_text(here)
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = part("listening", tmp_path, "172.7.21.3", PATH=f"{PATH}:/usr/sbin:/sbin", CNI=str(tmp_path))
        assert f"127.0.0.1:{server.getsockname()[1]} " in told
    assert part("listening", tmp_path, "172.7.21.4", PATH=PATH, CNI=str(tmp_path)) == ""


@pytest.mark.parametrize(("exit", "refused"), [(7, True), (77, False), (0, False)])
def test_only_of_a_pod_that_gave_no_connection_is_asked_what_listens(tmp_path: Path, exit: int, refused: bool) -> None:
    (tmp_path / "11.question").write_text("http pod 172.7.21.3:8080\n")
    (tmp_path / "11.err").write_text(f"exit={exit} connect=0.0\n")
    (tmp_path / "12.question").write_text("http pod 172.7.21.3:80\n")
    (tmp_path / "12.err").write_text("exit=7 connect=0.0\n")
    check = f"{SCRIPTS.text('trace').partition('refused_here() {')[2].partition(chr(10) + '}')[0]}"
    done = subprocess.run(["sh", "-c", check, "sh", "172.7.21.3:8080"], cwd=tmp_path, check=False)
    assert (done.returncode == 0) == refused


FILTERED = """
ip link add eth0 type veth peer name aside && ip address add 10.4.7.22/24 dev eth0
ip link set eth0 up && ip link set aside up && ip route add 10.4.7.11/32 dev aside
ip route add 172.7.21.0/24 via 10.4.7.21
set_mode() { for name in all default lo eth0 aside; do echo 0 >/proc/sys/net/ipv4/conf/$name/rp_filter; done
  echo "$1" >/proc/sys/net/ipv4/conf/eth0/rp_filter; }
set_mode 2; strict || echo loose
set_mode 1; ! strict || echo strict
OWN=10.4.7.22:81 EDGES='10.4.7.11 10.4.7.12'
reverse_path "$(reversed)"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_the_kernel_says_what_it_drops_by_reverse_path() -> None:
    argv = ["unshare", "--net", "sh", "-c", SCRIPTS.text("reverse_path") + FILTERED]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    loose, strict, *lines = done.stdout.splitlines()
    assert (loose, strict) == ("loose", "strict"), done
    (found,) = dropped(Answer("reverse path", "hdss7-22", "\n".join(lines)))
    assert (found.source, found.device) == ("10.4.7.11", "eth0")
    assert found.back.startswith("10.4.7.11 dev aside")
    assert lines[-1] == "IPReversePathFilter 0 0"
