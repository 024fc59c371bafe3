"""Runs as the controller remembers them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hdss7.report import run_folder
from hdss7.report.run_folder import RunFolder, receipts, recorded
from provision.apply.events import ChangeDone, ChangeStarted, HostFailed, RollingFinished, RunEnded, RunStarted
from provision.errors import Explanation
from provision.history.journal import About
from provision.inventory.revision import commit_of
from provision.plan.plan import Declaration, Item
from provision.remote.lock import Holder
from provision.resources import Action, Change, File
from provision.traffic.receipt import Receipt, Window

SITE = "/srv/site "
ITEM = Item(
    Declaration(File(path="/etc/motd"), "base", "roles/base.py:7", 0), Change(Action.UPDATE, "content", diff="-a\n+b")
)


def git(folder: Path, *words: str) -> None:
    argv = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    subprocess.run(argv, check=True, capture_output=True)


def test_a_run_with_changes_records_who_what_and_result(tmp_path: Path) -> None:
    holder = Holder("alice@desk")
    listener = RunFolder(holder, lambda: About("deploy", "abc1234"), SITE, tmp_path)
    for event in (
        RunStarted(("a", "b"), True),
        ChangeStarted("a", ITEM),
        ChangeDone("a", ITEM, 0.25),
        HostFailed("b", Explanation("it broke"), False),
        RunEnded(1.5),
    ):
        listener(event)
    folder = tmp_path / holder.run
    about = json.loads((folder / "run.json").read_text())
    assert (about["who"], about["command"], about["commit"]) == ("alice@desk", "deploy", "abc1234")
    lines = [json.loads(line) for line in (folder / "changes.jsonl").read_text().splitlines()]
    assert [next(iter(set(line) & {"key", "done", "failed", "ended"})) for line in lines] == [
        "key",
        "done",
        "failed",
        "ended",
    ]
    assert lines[0]["diff"] == "-a\n+b"
    assert [oct(p.stat().st_mode & 0o777) for p in (folder, folder / "run.json")] == ["0o700", "0o600"]


def test_a_run_that_changes_nothing_leaves_nothing(tmp_path: Path) -> None:
    listener = RunFolder(Holder("alice@desk"), About, SITE, tmp_path)
    listener(RunStarted(("a",), True))
    listener(RunEnded(0.5))
    assert list(tmp_path.iterdir()) == []


def test_only_the_last_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "KEPT", 3)
    for number in range(5):
        RunFolder(Holder("a@b", run=f"2026010{number}T000000-0000000"), About, SITE, tmp_path)(ChangeStarted("a", ITEM))
    assert sorted(p.name[:8] for p in tmp_path.iterdir()) == ["20260102", "20260103", "20260104"]


def test_the_runs_of_a_site_are_told_from_those_of_others(tmp_path: Path) -> None:
    for number, site in enumerate((SITE, "/srv/site lab", SITE, "")):
        run = f"2026010{number}T000000-0000000"
        RunFolder(Holder("a@b", run=run), lambda: About("deploy"), site, tmp_path)(ChangeStarted("a", ITEM))
    assert [run["run"][:8] for run in recorded(SITE, tmp_path)] == ["20260102", "20260100"]
    assert [run["run"][:8] for run in recorded("/srv/site lab", tmp_path)] == ["20260101"]
    assert list(recorded(SITE, tmp_path / "nowhere")) == []


def test_a_read_only_disk_does_not_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    RunFolder(Holder("a@b"), About, SITE, tmp_path / "file")(ChangeStarted("a", ITEM))


def test_the_commit_says_when_there_is_more_than_it(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "hosts.yml").write_text("a")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    commit = commit_of(tmp_path / "inventory")
    assert len(commit) >= 7
    (tmp_path / "elsewhere").write_text("what is not the inventory")
    assert commit_of(tmp_path / "inventory") == commit
    (tmp_path / "inventory" / "hosts.yml").write_text("b")
    assert commit_of(tmp_path / "inventory") == f"{commit} and changes of its own"


def test_a_receipt_is_one_document_whole_after_every_rolling_play(tmp_path: Path) -> None:
    holder = Holder("alice@desk")
    listener = RunFolder(holder, lambda: About("deploy", "abc1234"), SITE, tmp_path)
    receipt = Receipt(100, 1, 250.0, 10.0, 10.0, 10.0, ("+1.0 s x: status 502",), (Window("n1", 0.5, 4.5),))
    listener(RollingFinished("nodes", receipt))
    assert [play["play"] for play in receipts(holder.run, tmp_path)] == ["nodes"]
    listener(RollingFinished("pods", receipt))
    first, second = receipts(holder.run, tmp_path)
    assert second["play"] == "pods"
    assert first["windows"] == [{"host": "n1", "out": 0.5, "back": 4.5}]
    assert listener.receipt.stat().st_mode & 0o777 == 0o600
    assert receipts("20260301T101500-0000000", tmp_path) == []
