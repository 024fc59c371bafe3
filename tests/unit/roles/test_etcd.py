"""etcd: three members that know each other, and nothing in plain text."""

from __future__ import annotations

from tests.unit.conftest import Declared

SCRIPT = "File /opt/etcd/etcd-server-startup.sh"


def test_members_are_named_as_the_course_names_them(declared: Declared) -> None:
    script = declared("hdss7-22", "etcd")[SCRIPT].content.decode()
    assert "--name=etcd-server-7-22" in script
    assert (
        "--initial-cluster=etcd-server-7-11=https://10.4.7.11:2380,"
        "etcd-server-7-21=https://10.4.7.21:2380,etcd-server-7-22=https://10.4.7.22:2380" in script
    )


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
    assert keys.index("Symlink /etc/systemd/system/etcd.service") < keys.index("Package etcd-server")


def test_a_new_certificate_restarts_the_member(declared: Declared) -> None:
    program = declared("hdss7-11", "etcd")["Program etcd-server-7-11"]
    assert "File /opt/etcd/certs/etcd-peer.pem" in {r.key for r in program.restart_on}
