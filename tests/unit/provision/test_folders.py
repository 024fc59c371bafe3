"""Where state and caches are: labs that are up, runs and builds of earlier versions must be found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.folders import cache_folder, state_folder


def test_the_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert state_folder("labs", "main") == tmp_path / "state/hdss7/labs/main"
    assert cache_folder("artifacts") == tmp_path / "cache/hdss7/artifacts"


@pytest.mark.parametrize("unset", [None, ""])
def test_the_folders_are_below_home_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unset: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
        if unset is not None:
            monkeypatch.setenv(name, unset)
    assert state_folder("runs") == tmp_path / ".local/state/hdss7/runs"
    assert cache_folder() == tmp_path / ".cache/hdss7"
