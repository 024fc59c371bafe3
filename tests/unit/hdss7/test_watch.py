"""`watch`, `verify`'s causes and the memory of what a URL looked like, without a host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hdss7.causes import _grouped
from hdss7.last_good import changes, remember
from hdss7.watch import duration, status_of
from provision.errors import InputError
from provision.verify.report import Checked
from tests.unit.urltrace.cases import edge
from tests.unit.urltrace.site import EDGE, NGINX, evidence, objects, put
from urltrace.evidence import Answer
from urltrace.verdict import judge


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200)])
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("answers", "status"),
    [("200", "answers"), ("302", "answers"), ("404", "404"), ("no HTTP answer (timed out after 3001 ms)", "no answer")],
)
def test_an_answer_is_compared_by_its_status(answers: str, status: str) -> None:
    assert status_of(answers) == status


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "1d", "1.5m", "0s", "00m"])
def test_another_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no length of time"):
        duration(text)


def test_checks_that_fail_for_one_cause_stand_together() -> None:
    changes = next(case[3] for case in edge.CASES if case[1] == "nginx-down")
    failed = [Checked("edge", "hdss7-11", "it answers", "x"), Checked("traefik", "hdss7-21", "it routes", "x")]
    other = Checked("bind", "hdss7-11", "it resolves", "x")
    (finding, checks), *_ = _grouped(judge(evidence(*changes)), [*failed, other])
    assert finding.cause == "nginx-down"
    assert checks[:2] == failed


EDITED = put(Answer("nginx -T", EDGE.name, NGINX.replace("*.od.com", "*.od.org")))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_a_url_that_never_answered_has_no_changes(state: Path) -> None:
    assert changes("site", evidence(EDITED)) == ("", ())


def test_what_nobody_recorded_was_changed_by_hand(state: Path) -> None:
    remember("site", evidence())
    _, found = changes("site", evidence(EDITED))
    assert [str(one) for one in found] == ["/etc/nginx/conf.d/od.com.conf on hdss7-11 is another one, by hand"]


@pytest.mark.parametrize(
    ("change", "key", "diff"),
    [(EDITED, "ConfigSet /etc/nginx", ""), (objects(ingress=None), "Manifests workloads", "-  name: demo")],
)
def test_what_a_run_changed_is_told_with_the_run(state: Path, change: object, key: str, diff: str) -> None:
    remember("site", evidence())
    run = state / "hdss7" / "runs" / "run-1"
    run.mkdir(parents=True)
    about = {"run": "run-1", "site": "site", "who": "me", "began": "2099-01-01T00:00:00+00:00"}
    (run / "run.json").write_text(json.dumps(about) + "\n")
    line = {"host": "hdss7-11", "key": key, "role": "r", "line": "roles/r.py:1", "diff": diff}
    (run / "changes.jsonl").write_text(json.dumps(line) + "\n")
    _, found = changes("site", evidence(change))  # type: ignore[arg-type]
    assert found[0].by == "by run run-1 of me (role r, roles/r.py:1)"
