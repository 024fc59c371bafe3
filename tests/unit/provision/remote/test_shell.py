"""Values reach scripts as they are, whatever they contain, and scripts can be put together."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provision.remote.shell import Scripts, function, quote, words

HOSTILE = ("$(touch x)", "`touch x`", "a'b\"c", "two\nlines", " blanks  ", "", "*", "-n", "\\", "a; touch x", "é")


def run(script: str, folder: Path) -> str:
    return subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True, cwd=folder).stdout


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    """Scripts of the folder `sh`: `show` prints its arguments and $VALUE, each in brackets."""
    (tmp_path / "sh").mkdir()
    (tmp_path / "sh/show.sh").write_text('printf \'[%s]\' "$@" "$VALUE"\n')
    (tmp_path / "sh/around.sh").write_text('inner; echo "ended with $?"\n')
    return Scripts(str(tmp_path / "module.py"))


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_no_value_is_run_or_changed(scripts: Scripts, tmp_path: Path, value: str) -> None:
    shown = run(scripts.call("show", "first", value, VALUE=value), tmp_path)
    assert shown == f"[first][{value}][{value}]"
    assert run(f"printf %s {quote(value)}", tmp_path) == value
    assert not (tmp_path / "x").exists()


def test_words_keep_their_number(tmp_path: Path) -> None:
    assert run(f"set -- {words(HOSTILE)}\necho $#", tmp_path) == f"{len(HOSTILE)}\n"


def test_scripts_in_a_row_have_their_own_arguments(scripts: Scripts, tmp_path: Path) -> None:
    both = scripts.call("show", "one", "two", VALUE="v") + scripts.call("show")
    assert run(both, tmp_path) == "[one][two][v][v]"


def test_exit_in_a_function_does_not_end_what_calls_it(scripts: Scripts, tmp_path: Path) -> None:
    inner = "set -- changed\nname=inner\nexit 3"
    assert run(function("inner", inner) + scripts.call("around"), tmp_path) == "ended with 3\n"


def test_names_of_variables_are_in_capitals(scripts: Scripts) -> None:
    with pytest.raises(ValueError, match="capitals"):
        scripts.call("show", value="v")
