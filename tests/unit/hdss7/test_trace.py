"""`trace` as it is typed: a recorded trace is judged without a host, and bad input ends with 4."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BUNDLES = ROOT / "tests" / "unit" / "urltrace" / "recorded" / "bundles"
URL = "http://demo.od.com/"
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: thief, namespace: default, annotations: {traefik.ingress.kubernetes.io/router.priority: "900"}}
spec:
  ingressClassName: traefik
  rules:
  - host: demo.od.com
    http: {paths: [{path: /, pathType: Exact, backend: {service: {name: demo, port: {number: 80}}}}]}
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "trace", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "XDG_STATE_HOME": "/nonexistent"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.json"
    path.write_bytes(gzip.decompress((BUNDLES / "role-endpointslices.json.gz").read_bytes()))
    return path


def test_a_replayed_fault_is_printed_and_ends_with_1(bundle: Path) -> None:
    done = run(URL, "--replay", str(bundle))
    assert done.returncode == 1
    assert "Verdict: Traefik may not read endpointslices" in done.stdout
    assert len(done.stdout.splitlines()) < 25


def test_the_object_of_json_holds_the_finding(bundle: Path) -> None:
    done = run(URL, "--replay", str(bundle), "--json")
    found = json.loads(done.stdout)
    assert (found["exit"], found["trace"]["version"]) == (1, 1)
    assert found["trace"]["findings"][0]["cause"] == "access-missing"
    assert found["hosts"]["hdss7-11"] == {"status": "ok"}


def test_a_change_is_foretold_from_a_bundle(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "ingress.yaml").write_text(INGRESS)
    done = run(URL, "--replay", str(bundle), "--with", str(tmp_path / "ingress.yaml"))
    assert "With it: Ingress default/demo -> Ingress default/thief" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: 7\n",
            "bad.yaml:4: Ingress a: the API",
        ),
        ("a: [", "bad.yaml:2:1: the manifest is not YAML"),
        ("\xff", "bad.yaml can't be read"),
        ("", "there is no object in"),
        ("- a\n", "bad.yaml:1: a document of the manifest is no object"),
        ("kind: List\nitems: 5\n", "bad.yaml:1: an object of the manifest has no"),
        ("a: 1\na: 2\n", "bad.yaml:2: the manifest has 'a' twice"),
        ("a: 1\nb: !x y\n", "bad.yaml:2: the manifest is no JSON"),
    ],
)
def test_a_file_that_is_no_manifest_ends_with_4(bundle: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.yaml").write_text(text, encoding="latin-1")
    done = run(URL, "--replay", str(bundle), "--with", str(tmp_path / "bad.yaml"))
    assert done.returncode == 4
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Ingress\nmetadata: {name: {{ name }}}\n", "line 2 is a template of Jinja or Helm"),
        (
            INGRESS.replace("networking.k8s.io/v1", "extensions/v1beta1"),
            "change.yaml:1: Ingress default/thief is of apiVersion extensions",
        ),
        (
            INGRESS.replace("apiVersion: networking.k8s.io/v1\n", ""),
            "change.yaml:1: an object of the manifest has no apiVersion",
        ),
    ],
)
def test_a_change_that_no_api_takes_is_refused(bundle: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "change.yaml").write_text(text)
    done = run(URL, "--replay", str(bundle), "--with", str(tmp_path / "change.yaml"))
    assert done.returncode == 4
    assert words in done.stderr


def test_what_is_not_judged_of_a_change_is_said(bundle: Path, tmp_path: Path) -> None:
    route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: demo}\n"
    (tmp_path / "change.yaml").write_text(f"{INGRESS}---\n{route}")
    done = run(URL, "--replay", str(bundle), "--with", str(tmp_path / "change.yaml"))
    assert "HTTPRoute default/demo is not judged" in done.stdout
    assert "Ingress default/thief" in done.stdout


@pytest.mark.parametrize(
    "words",
    [("--from", "hdss7-22"), ("--method", "POST"), ("--header", "A: b"), ("--lab", "x"), ("--inventory", "x")],
)
def test_options_that_a_bundle_ignores_are_refused(bundle: Path, words: tuple[str, str]) -> None:
    done = run(URL, "--replay", str(bundle), *words)
    assert done.returncode == 4
    assert f"{words[0]} has no effect with --replay" in done.stderr


def test_a_bundle_is_saved_for_its_owner_alone(bundle: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    assert run(URL, "--replay", str(bundle), "--save", str(saved)).returncode == 1
    assert saved.stat().st_mode & 0o777 == 0o600
    assert run(URL, "--replay", str(saved)).returncode == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("demo.od.com",), "is not a URL to trace"),
        ((URL, "--replay", "/nonexistent"), "can't be read"),
        ((URL, "--replay", "README.md"), "is no bundle of a trace"),
        ((URL, "--header", "nonsense"), "is not a header"),
    ],
)
def test_bad_input_ends_with_4(words: tuple[str, ...], found: str) -> None:
    done = run(*words)
    assert done.returncode == 4
    assert found in done.stderr


def test_a_bundle_of_another_url_is_refused(bundle: Path) -> None:
    done = run("http://other.od.com/", "--replay", str(bundle))
    assert done.returncode == 4
    assert "is a trace of http://demo.od.com/" in done.stderr


def test_a_page_is_written_for_its_owner_alone(bundle: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(URL, "--replay", str(bundle), "--html", str(page)).returncode == 1
    assert page.stat().st_mode & 0o777 == 0o600
    assert "Traefik may not read endpointslices" in page.read_text()
