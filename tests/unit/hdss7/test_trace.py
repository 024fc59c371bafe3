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


def test_a_file_that_is_no_manifest_ends_with_4(bundle: Path, tmp_path: Path) -> None:
    for text in ("kind: Ingress\nspec: 7\n", "a: [", "\xff"):
        (tmp_path / "bad.yaml").write_text(text, encoding="latin-1")
        done = run(URL, "--replay", str(bundle), "--with", str(tmp_path / "bad.yaml"))
        assert done.returncode == 4, text
        assert "can't be read" in done.stderr


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
