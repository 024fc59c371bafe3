"""`provision.verify.main` on a site of its own: which checks run, how they are told, what the exit code says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.conftest import Write

ROOT = Path(__file__).resolve().parents[4]
SITE = {
    "site.yml": """
        - name: all
          hosts: web
          roles: [web]
        """,
    "inventory/hosts.yml": """
        all:
          vars: {hdss7_ops_host: "outsider:here"}
          children:
            web: {hosts: {web-1: {ansible_host: 127.0.0.1}, web-2: {ansible_host: 127.0.0.1}}}
            other: {hosts: {other-1: {}}}
        """,
    "outsider.py": """
        def here(argv):
            return argv
        """,
    "roles/__init__.py": "",
    "roles/_site.py": """
        import msgspec
        class SiteSettings(msgspec.Struct, frozen=True):
            domain: str = "example.org"
        """,
    "roles/web.py": """
        import msgspec
        from provision.resources import Directory
        class Settings(msgspec.Struct, frozen=True):
            answer: str = "17"
        def web(host, site, settings):
            yield Directory(path="/srv")
        """,
    "roles/idle.py": """
        import msgspec
        class Settings(msgspec.Struct, frozen=True):
            pass
        def idle(host, site, settings):
            return
            yield
        """,
    "tests/verify/test_web.py": """
        import pytest
        from provision.verify.checks import Checking, Node, Place, check

        @check
        def test_kept(node: Node, outside: Place) -> Checking:
            '''the answer is 17'''
            answer = yield outside.sh("echo 17")
            assert answer.text == "17"

        @pytest.mark.gate
        @check
        def test_answer(node: Node, settings, outside: Place) -> Checking:
            '''the answer is the one that was set'''
            answer = yield outside.sh(f"echo {node.name.replace('web-', '1')}")
            assert answer.text == settings.answer or node.name == "web-1", f"it gave {answer}"

        @pytest.mark.parametrize("word", ["one", "two"])
        @check
        def test_words(node: Node, outside: Place, word: str) -> Checking:
            '''words come back'''
            assert (yield outside.sh(f"echo {word}")).text == word

        def test_ordinary(node: Node) -> None:
            '''an ordinary test is a check too'''
            assert node.address == "127.0.0.1"
        """,
    "tests/verify/test_idle.py": """
        from provision.verify.checks import Checking, Node, check

        @check
        def test_nobody(node: Node) -> Checking:
            '''what a role declares nowhere is promised nowhere'''
            assert False
            yield
        """,
    "run.py": """
        import sys
        from pathlib import Path
        from provision.search_path import SearchPath
        from provision.project import Project, Selection
        from provision.verify import main
        from provision.errors import ProvisionError
        options = dict(word.split("=", 1) for word in sys.argv[1:])
        junit = options.pop("junit", None)
        limit = options.pop("limit", None)
        gate = bool(options.pop("gate", ""))
        try:
            project = Project(SearchPath.of(Path.cwd()), [Path("inventory")])
            more = {"retry_for": 0, "gate": gate, "junit": junit and Path(junit)}
            sys.exit(main(project, Selection(limit=limit), **more, **options))
        except ProvisionError as error:
            print(error)
            sys.exit(error.exit)
        """,
}


def verify(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "run.py", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def written(write: Write, more: Mapping[str, str] | None = None) -> Path:
    return write({**SITE, **(more or {})})


def test_each_check_is_one_line_with_its_hosts(write: Write, tmp_path: Path) -> None:
    code, said = verify(written(write), f"junit={tmp_path / 'out.xml'}")
    assert code == 1, said
    assert "= web  the answer is 17  (web-1, web-2)" in said
    assert "= web  an ordinary test is a check too  (web-1, web-2)" in said
    assert "! web  FAILED on web-2: the answer is the one that was set. Found: it gave '12'" in said
    assert "verify: 10 checks on 2 hosts, 1 failed" in said
    assert "what a role declares nowhere" not in said
    junit = (tmp_path / "out.xml").read_text()
    assert 'tests="10"' in junit
    assert 'failures="1"' in junit
    assert "it gave '12'" in junit.replace("&apos;", "'").replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("words", "checks"),
    [
        (["limit=web-1"], "5 checks on 1 host"),
        (["k=kept"], "2 checks on 2 hosts"),
        (["gate=1", "limit=web-1"], "1 check"),
    ],
)
def test_only_what_was_chosen_is_asked(write: Write, words: list[str], checks: str) -> None:
    code, said = verify(written(write), *words)
    assert code == 0, said
    assert f"verify: {checks}" in said
    assert "all passed" in said


@pytest.mark.parametrize(
    ("words", "more", "expected"),
    [
        (["k=nothing_of_this_name"], {}, "no check matches -k 'nothing_of_this_name'"),
        (["k=and and"], {}, "-k 'and and'"),
        (["limit=nobody"], {}, "nobody"),
        (["limit=other-1"], {}, "leaves no host"),
        ([], {"tests/verify/test_broken.py": "def test_("}, "test_broken.py can't be read"),
        ([], {"tests/conftest.py": "def test_("}, "SyntaxError"),
        ([], {"tests/conftest.py": "def pytest_no_such(): pass"}, "unknown hook 'pytest_no_such'"),
    ],
)
def test_what_can_not_be_asked_is_bad_input(
    write: Write, words: list[str], more: Mapping[str, str], expected: str
) -> None:
    code, said = verify(written(write, more), *words)
    assert code == 4, said
    assert expected in said
    assert "INTERNALERROR" not in said
    assert "all passed" not in said


def test_a_mistake_in_a_check_is_told_without_hiding_the_others(write: Write) -> None:
    wrong = """
        from provision.verify.checks import Checking, Node, check

        @check
        def test_wrong(node: Node) -> Checking:
            '''nothing'''
            node.no_such_thing
            yield
        """
    code, said = verify(
        written(
            write,
            {
                "tests/verify/test_web2.py": wrong,
                "roles/web2.py": SITE["roles/web.py"].replace("def web", "def web2").replace("/srv", "/s"),
                "site.yml": SITE["site.yml"].replace("[web]", "[web, web2]"),
            },
        ),
        "limit=web-1",
    )
    assert code == 1, said
    assert "no_such_thing" in said
    assert "the answer is 17" in said


def test_a_check_that_means_nothing_here_says_why_it_was_not_asked(write: Write) -> None:
    absent = """
        from provision.verify.checks import Checking, Node, NotHere, check

        @check
        def test_absent(node: Node) -> Checking:
            '''the demo answers'''
            raise NotHere("the site has no demo")
            yield
        """
    code, said = verify(written(write, {"tests/verify/test_web.py": absent}))
    assert code == 0, said
    assert "? web  the demo answers: skipped, the site has no demo  (web-1, web-2)" in said
    assert "2 skipped" in said


def test_ctrl_c_ends_it_and_checks_take_back_what_they_made(write: Write) -> None:
    making = """
        from pathlib import Path
        from provision.verify.checks import Checking, Node, Place, check

        MADE = Path("made").absolute()

        @check
        def test_making(node: Node, outside: Place) -> Checking:
            made = f"{MADE}-{node.name}"
            try:
                yield outside.sh(f"echo >{made}")
                yield outside.sh("sleep 1")
                yield outside.sh("sleep 30", 40)
            finally:
                yield outside.sh(f"rm -f {made}")
        """
    folder = written(write, {"tests/verify/test_web.py": making})
    running = start(folder)
    deadline = time.monotonic() + 20
    while len(list(folder.glob("made-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=30)
    assert running.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert list(folder.glob("made-*")) == []
