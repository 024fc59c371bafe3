"""etcd: three members that know each other, and nothing in plain text."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.conftest import Declared

SCRIPT = "File /opt/etcd/etcd-server-startup.sh"


def test_members_are_named_as_the_course_names_them(declared: Declared) -> None:
    resources = declared("hdss7-22", "etcd")
    assert "--name=etcd-server-7-22" in resources[SCRIPT].content.decode()
    member = resources["EtcdMember etcd-server-7-22"]
    assert [each.peer for each in (member.me, *member.others)] == [
        f"https://10.4.7.{last}:2380" for last in (22, 11, 21)
    ]


def test_a_member_that_runs_is_not_restarted_when_the_group_changes(declared: Declared) -> None:
    resources = declared("hdss7-22", "etcd")
    assert "10.4.7.11" not in resources[SCRIPT].content.decode()
    member = resources["EtcdMember etcd-server-7-22"]
    assert replace(member, others=member.others[:1]).digest == member.digest


def test_without_data_it_starts_only_as_it_was_told(declared: Declared) -> None:
    script = declared("hdss7-22", "etcd")[SCRIPT].content.decode()
    guard = script.index("if [ ! -e /data/etcd/etcd-server/member ]; then")
    assert guard < script.index("[ -r /opt/etcd/first-start.env ] || {") < script.index("exec /usr/bin/etcd")


def test_data_is_never_served_without_a_client_certificate(declared: Declared) -> None:
    script = declared("hdss7-11", "etcd")[SCRIPT].content.decode()
    assert "--client-cert-auth" in script
    assert "--peer-client-cert-auth" in script
    plain = [line for line in script.splitlines() if "http://" in line]
    assert plain == ["  --listen-metrics-urls=http://127.0.0.1:2381 \\"]  # /health and /metrics, no keys


def test_its_key_is_its_own_and_secret(declared: Declared) -> None:
    key = declared("hdss7-11", "etcd")["File /opt/etcd/certs/etcd-peer-key.pem"]
    assert (key.mode, key.owner, key.secret) == ("0600", "etcd", True)
    assert key.content != declared("hdss7-21", "etcd")["File /opt/etcd/certs/etcd-peer-key.pem"].content


def test_the_packages_unit_is_masked_before_installation(declared: Declared) -> None:
    keys = list(declared("hdss7-11", "etcd"))
    assert keys.index("Symlink /etc/systemd/system/etcd.service") < keys.index("Package etcd-server etcd-client")


def test_a_new_certificate_restarts_the_member(declared: Declared) -> None:
    program = declared("hdss7-11", "etcd")["Program etcd-server-7-11"]
    assert "File /opt/etcd/certs/etcd-peer.pem" in {r.key for r in program.restart_on}
