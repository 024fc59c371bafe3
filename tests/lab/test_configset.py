"""A set of nginx files on a real host: taken in whole, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lab import commands
from lab.state import Lab
from provision.apply.run import HostRun
from provision.inventory import Inventory
from provision.remote.protocol import Step
from provision.resources import Change, ConfigSet, File, Nginx, Package
from tests.lab.conftest import LAB_INVENTORY, ROOT, RunningLab
from tests.lab.test_engine import converge, logins, only

HOST = "hdss7-11"
MAIN = """\
user www-data;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {}
http { include conf.d/*.conf; include site/release.conf; }
"""
ANSWER = "127.0.0.2:80"
SITE = "server {{ listen {port}; server_name od.com; return 200 {answer}; }}\n"


class Edge:
    """nginx on a host of the lab, told what to be and asked what it is."""

    def __init__(self, lab: RunningLab) -> None:
        self.lab = lab.name
        self._login = logins(lab, [HOST])
        source = Inventory.load(lab.sources).host(HOST).var("apt_repository")["line"]
        self._first = (
            File(path="/etc/apt/sources.list.d/provision.list", content=f"{source}\n"),
            Package(names=("nginx",)),
        )

    def converge(
        self,
        *,
        check: bool = False,
        main: str = MAIN,
        confirm: float = 0,
        kind: type[ConfigSet] = ConfigSet,
        **sites: str,
    ) -> HostRun:
        """One run with nginx.conf and conf.d/NAME.conf for each of `sites`."""
        files = {"nginx.conf": main, **{f"conf.d/{name}.conf": text for name, text in sites.items()}}
        wanted = kind(directory="/etc/nginx", files=files, activation=Nginx(answer=ANSWER), confirm=confirm)
        return only(converge(self._login, (*self._first, wanted), check=check))

    def sh(self, script: str) -> str:
        """What a script prints on the host."""
        argv = commands.command(self.lab, HOST, ["sh", "-c", script])
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout.strip()

    def says(self, port: int = 80) -> str:
        """What nginx answers for od.com."""
        return self.sh(f"curl -s -m 2 -H 'Host: od.com' http://127.0.0.1:{port}/")


@pytest.fixture(scope="module")
def edge(bare_lab: RunningLab) -> Edge:
    """nginx as it is on a host that has been deployed to: the first conversion is tried by this."""
    made = Edge(bare_lab)
    first = made.converge(od=SITE.format(port=80, answer="one"))
    assert first.error is None
    assert first.status == "changed"
    return made


@pytest.fixture(autouse=True)
def as_declared(edge: Edge) -> None:
    """Whatever a test left, the next one finds the host as declared."""
    edge.sh("rm -f /etc/nginx/conf.d/foreign.conf")
    assert edge.converge(od=SITE.format(port=80, answer="one")).error is None


def plan(edge: Edge, **sites: str) -> str:
    found = edge.converge(
        check=True, main=MAIN, confirm=0, kind=ConfigSet, **(sites or {"od": SITE.format(port=80, answer="one")})
    )
    assert found.plan is not None
    return "; ".join(item.outcome.summary for item in found.plan.items if isinstance(item.outcome, Change))


def test_the_first_one_replaces_debians_files_and_serves(edge: Edge) -> None:
    assert edge.says() == "one"
    assert (
        edge.sh("readlink /etc/nginx/nginx.conf /etc/nginx/conf.d/od.conf") == "site/nginx.conf\n../site/conf.d/od.conf"
    )
    assert plan(edge) == ""


def test_a_changed_set_is_served_without_a_new_master(edge: Edge) -> None:
    master = edge.sh("cat /run/nginx.pid")
    assert edge.converge(od=SITE.format(port=80, answer="two")).status == "changed"
    assert edge.says() == "two"
    assert edge.sh("cat /run/nginx.pid") == master


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        ("sed -i 's/one/three/' /etc/nginx/conf.d/od.conf", "conf.d/od.conf: content"),
        ("echo '# by hand' >>/etc/nginx/conf.d/od.conf", "conf.d/od.conf: content"),
        ("rm /etc/nginx/conf.d/od.conf", "create conf.d/od.conf"),
        ("rm -rf /etc/nginx/site", "create nginx.conf, create conf.d/od.conf"),
        ("chmod 600 /etc/nginx/conf.d/od.conf", "conf.d/od.conf: mode 0600 -> 0644"),
        ("chown www-data /etc/nginx/nginx.conf", "nginx.conf: owner www-data:root -> root:root"),
        ("f=/etc/nginx/conf.d/od.conf; cp $f $f.new; mv $f.new $f", "a file instead of the link into the set"),
    ],
)
def test_what_somebody_did_by_hand_is_one_line_of_plan_and_one_fix(edge: Edge, drift: str, said: str) -> None:
    edge.sh(drift)
    assert said in plan(edge)
    fixed = edge.converge(od=SITE.format(port=80, answer="one"))
    assert (fixed.status, len(fixed.applied)) == ("changed", 1)
    assert edge.says() == "one"
    assert plan(edge) == ""


@pytest.mark.parametrize(
    ("foreign", "wanted", "said"),
    [
        ("", "server { nonsense; }\n", 'unknown directive "nonsense"'),
        ("server { listen 80; server_name od.com; }", SITE.format(port=80, answer="two"), "conflicting server name"),
    ],
)
def test_what_nginx_would_not_take_changes_nothing(edge: Edge, foreign: str, wanted: str, said: str) -> None:
    edge.sh(f"test -z '{foreign}' || echo '{foreign}' >/etc/nginx/conf.d/foreign.conf")
    before = edge.sh("readlink /etc/nginx/site; ls /etc/nginx/releases")
    refused = edge.converge(od=wanted)
    assert refused.error is not None
    assert said in refused.error.found
    assert edge.sh("readlink /etc/nginx/site; ls /etc/nginx/releases") == before
    assert edge.says() == "one"
    assert edge.sh("ls -d /run/staged*") == ""


def test_a_port_in_use_rolls_the_set_back(edge: Edge) -> None:
    squatter = "pid /run/squatter.pid; events {} http { server { listen 7500; } }"
    edge.sh(f"echo '{squatter}' >/tmp/squatter.conf")
    edge.sh("systemd-run -q --unit=squatter nginx -c /tmp/squatter.conf -g 'daemon off;'")
    edge.sh("for n in $(seq 50); do ss -ltn | grep -q :7500 && break; sleep 0.1; done")
    failed = edge.converge(od=SITE.format(port=7500, answer="two"))
    assert failed.error is not None
    assert "bind() to 0.0.0.0:7500 failed" in failed.error.found
    assert edge.says() == "one"
    edge.sh("systemctl stop squatter")


def test_the_set_that_runs_says_which_it_is(edge: Edge) -> None:
    before = edge.sh(f"curl -s http://{ANSWER}/")
    assert f"releases/{before}" == edge.sh("readlink /etc/nginx/site")
    assert edge.converge(od=SITE.format(port=80, answer="two")).error is None
    after = edge.sh(f"curl -s http://{ANSWER}/")
    assert after != before
    assert f"releases/{after}" == edge.sh("readlink /etc/nginx/site")


def test_a_valid_set_that_does_not_answer_is_rolled_back(edge: Edge) -> None:
    server = f"server {{ listen {ANSWER} default_server; server_name x; return 200 stranger; }}"
    edge.sh(f"echo '{server}' >/etc/nginx/conf.d/foreign.conf")
    failed = edge.converge(od=SITE.format(port=80, answer="two"))
    assert failed.error is not None
    assert ANSWER in failed.error.found
    assert edge.says() == "one"


def test_a_file_dropped_from_the_set_is_removed_others_stay(edge: Edge) -> None:
    edge.sh("echo '# not ours' >/etc/nginx/conf.d/foreign.conf")
    one = SITE.format(port=80, answer="one")
    assert edge.converge(od=one, more=SITE.format(port=8080, answer="more")).error is None
    assert edge.says(8080) == "more"
    assert edge.converge(od=one).error is None
    assert edge.sh("ls /etc/nginx/conf.d") == "foreign.conf\nod.conf"
    assert edge.says(8080) == ""


def test_a_stopped_nginx_is_started_with_the_new_set(edge: Edge) -> None:
    edge.sh("systemctl stop nginx")
    assert edge.converge(od=SITE.format(port=80, answer="two")).error is None
    assert edge.says() == "two"


def test_old_sets_do_not_pile_up(edge: Edge) -> None:
    for number in range(5):
        assert edge.converge(od=SITE.format(port=80, answer=f"n{number}")).error is None
    assert int(edge.sh("ls /etc/nginx/releases | wc -l")) <= 3


class Dying(ConfigSet):
    """A set whose controller is killed before it says that the set is kept."""

    def confirm_step(self, change: Change) -> Step | None:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it lived")


def cut_off(lab: str, seconds: float) -> None:
    """A controller that gives nginx a set to be kept within that time, and dies."""
    running = RunningLab(lab, (LAB_INVENTORY, Lab.named(lab).inventory))
    Edge(running).converge(kind=Dying, confirm=seconds, od=SITE.format(port=80, answer="two"))


def test_a_set_that_is_kept_in_time_stays(edge: Edge) -> None:
    two = SITE.format(port=80, answer="two")
    assert edge.converge(confirm=4, od=two).error is None
    assert plan(edge, od=two) == ""
    edge.sh("while systemctl list-timers --all | grep -q provision-revert; do sleep 0.2; done")
    assert edge.says() == "two"
    assert edge.sh("ls /run/provision.set-*") == ""


def test_a_host_whose_controller_is_killed_goes_back_by_itself(edge: Edge) -> None:
    code = "import sys; from tests.lab.test_configset import cut_off; cut_off(sys.argv[1], 8)"
    died = subprocess.run([sys.executable, "-c", code, edge.lab], cwd=ROOT, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    assert edge.says() == "two"
    assert "it runs with an older configuration" in plan(edge, od=SITE.format(port=80, answer="two"))
    edge.sh("n=200; while [ -e /run/provision.set-etc-nginx.back* ] && [ $n -gt 0 ]; do n=$((n-1)); sleep 0.1; done")
    edge.sh("n=100; until curl -s -H 'Host: od.com' http://127.0.0.1/ | grep -q one || [ $n = 0 ]; do n=$((n-1)); done")
    assert edge.says() == "one"
    assert plan(edge) == ""


def test_who_says_too_late_that_a_set_is_kept_is_told(edge: Edge) -> None:
    class Late(ConfigSet):
        def confirm_step(self, change: Change) -> Step | None:
            edge.sh(
                "n=100; while [ -e /run/provision.set-etc-nginx.back ] && [ $n -gt 0 ]; do n=$((n-1)); sleep 0.1; done"
            )
            return super().confirm_step(change)

    failed = edge.converge(kind=Late, confirm=1, od=SITE.format(port=80, answer="two"))
    assert failed.error is not None
    assert "not confirmed within 1 s" in failed.error.found
