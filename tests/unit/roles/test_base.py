"""What every host has: names, packages, a supervisord that cleans up after itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provision.errors import InputError
from tests.unit.conftest import Declared

LINE = "deb [trusted=yes] http://ops/apt ./\n"
ORPHANS = "File /usr/local/sbin/supervisor-end-orphans"


def test_every_host_knows_every_other_by_both_of_its_names(declared: Declared) -> None:
    text = declared("hdss7-11", "base", "base.hosts.harbor=10.4.7.200", made=False)["File /etc/hosts"].content.decode()
    assert "\n10.4.7.22 hdss7-22.host.com hdss7-22\n" in text
    assert text.endswith("\n10.4.7.200 harbor\n")


def test_packages_come_from_the_sites_own_source(declared: Declared) -> None:
    assert (
        declared("hdss7-11", "base", made=False)["File /etc/apt/sources.list.d/provision.list"].content.decode() == LINE
    )


def test_supervisord_restarts_and_ends_orphans(declared: Declared) -> None:
    base = declared("hdss7-11", "base", made=False)
    unit = base["File /etc/systemd/system/supervisor.service.d/provision.conf"].content.decode()
    assert "\nRestartSec=1\n" in unit
    assert "\nExecStartPre=/usr/local/sbin/supervisor-end-orphans\n" in unit
    assert base[ORPHANS].mode == "0755"


def test_a_change_of_its_unit_file_never_restarts_supervisord(declared: Declared) -> None:
    assert declared("hdss7-21", "base", made=False)["Service supervisor"].restart_on == ()


def test_end_orphans_kills_only_children_of_supervisord(declared: Declared, tmp_path: Path) -> None:
    script = tmp_path / "end-orphans"
    script.write_bytes(
        declared("hdss7-21", "base", made=False)[ORPHANS].content.replace(b"supervisor\\.sock", b"r2-test\\.sock")
    )
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    mine, other = "unix:///run/r2-test.sock", "unix:///run/another.sock"
    with (
        subprocess.Popen(sleep, env={"SUPERVISOR_SERVER_URL": mine}) as orphan,
        subprocess.Popen(sleep, env={"SUPERVISOR_SERVER_URL": other}) as stranger,
    ):
        subprocess.run(["sh", script], check=True, capture_output=True, timeout=30)
        assert orphan.wait(timeout=5) == -15
        assert stranger.poll() is None
        stranger.kill()


def test_an_existing_cluster_keeps_folders_and_hosts_file(declared: Declared) -> None:
    base = declared("hdss7-21", "base", "site.managed=false", made=False)
    assert "File /etc/hosts" not in base
    assert not any(key.startswith("Symlink /opt/kubernetes") for key in base)
    assert "Service supervisor" in base
    assert "Service supervisor" not in declared("hdss7-11", "base", "site.managed=false", made=False)


@pytest.mark.parametrize("version", ["1.21.14", "1.15.2"])
def test_an_unavailable_version_is_refused_with_another(declared: Declared, version: str) -> None:
    with pytest.raises(InputError, match=r"site\.kubernetes .* Write 1\.22\.0 or newer, as 1\.34\.4"):
        declared("hdss7-21", "base", json.dumps({"site": {"kubernetes": version}}), made=False)


def test_names_are_asked_of_bind(declared: Declared) -> None:
    text = declared("hdss7-21", "resolver", made=False)["File /etc/resolv.conf"].content.decode()
    assert "\nnameserver 10.4.7.11\n" in text
    assert declared("hdss7-21", "resolver", "resolver.enabled=false", made=False) == {}
