"""`hdss7 init`, and the package that brings it: built, installed beside this environment's libraries, and used."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOP_LEVEL = {"hdss7", "provision", "urltrace", "kubeproxy", "lab"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this clone."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; import sys; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def hdss7(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed in an environment that borrows this one's libraries and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    (libraries,) = (Path(path) for path in sys.path if path.endswith("site-packages"))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    (site / "borrowed.pth").write_text(f"{libraries}\n")
    command = folder / "bin" / "hdss7"
    command.write_text(f"#!{folder}/bin/python\nfrom hdss7.main import main\nmain()\n")
    command.chmod(0o755)
    return command


def run(command: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([command, *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_wheel_has_no_other_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name.partition("/")[0] for name in packed.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == TOP_LEVEL


def test_the_wheel_holds_no_keys(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        assert packed.namelist()
        assert not [name for name in packed.namelist() if "/pki/" in name or name.endswith((".pem", ".key"))]


def test_an_initialised_folder_lints_and_names_zero_sums(hdss7: Path, tmp_path: Path) -> None:
    made = run(hdss7, "init", "mine", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    linted = run(hdss7, "lint", cwd=tmp_path / "mine")
    assert linted.returncode == 0, linted.stderr
    assert "kubelet" in next(line for line in linted.stdout.splitlines() if "zeros" in line)


def test_invoke_in_a_made_folder_has_the_same_commands(hdss7: Path, tmp_path: Path) -> None:
    run(hdss7, "init", "mine", cwd=tmp_path)
    invoke = hdss7.with_name("invoke")
    invoke.write_text(f"#!{hdss7.parent}/python\nfrom invoke.main import program\nprogram.run()\n")
    invoke.chmod(0o755)
    linted = [run(command, "lint", cwd=tmp_path / "mine") for command in (invoke, hdss7)]
    assert [(each.returncode, each.stdout) for each in linted] == [(0, linted[0].stdout)] * 2


def test_an_own_role_wins_over_the_packaged_one(hdss7: Path, tmp_path: Path) -> None:
    run(hdss7, "init", "mine", cwd=tmp_path)
    (tmp_path / "mine/roles/resolver.py").write_text("raise ValueError('my own')\n")
    linted = run(hdss7, "lint", "--project", "mine", cwd=tmp_path)
    assert linted.returncode == 4
    assert "my own" in linted.stderr


def test_lint_names_packaged_plays_that_site_yml_lacks(hdss7: Path, tmp_path: Path) -> None:
    run(hdss7, "init", "mine", cwd=tmp_path)
    (tmp_path / "mine/site.yml").write_text("- {name: one, hosts: all, roles: [base]}\n")
    linted = run(hdss7, "lint", cwd=tmp_path / "mine")
    assert "'edge'" in linted.stdout


def test_init_refuses_a_folder_with_files(hdss7: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    made = run(hdss7, "init", "mine", cwd=tmp_path)
    assert made.returncode == 4
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes"]


def test_messages_name_the_command_that_was_started(hdss7: Path, tmp_path: Path) -> None:
    run(hdss7, "init", "mine", cwd=tmp_path)
    wrong = [run(hdss7, *words.split(), cwd=tmp_path / "mine").stderr for words in ("deploy --dry", "lint --limit x y")]
    assert "hdss7 plan" in wrong[0]
    assert not [text for text in wrong if "invoke" in text]


def test_help_lists_only_options_that_have_an_effect(hdss7: Path, tmp_path: Path) -> None:
    shown = run(hdss7, "--help", cwd=tmp_path).stdout
    assert "Usage: hdss7 COMMAND" in shown
    assert "--version" in shown
    for refused in ("--dry", "--config", "--echo", "--hide", "--pty", "--command-timeout", "--warn-only"):
        assert refused not in shown
        assert "nothing was done" in run(hdss7, "lint", refused, cwd=tmp_path).stderr
