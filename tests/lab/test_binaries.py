"""A package brings another binary while the old one runs, as Debian's upgrades do: found, and renewed with care."""

from __future__ import annotations

import re

import pytest

from tests.lab.clients import clients, unharmed
from tests.lab.typed import NAME, invoke, on

pytestmark = pytest.mark.usefixtures("site")
REPLACED = {"hdss7-21": "/usr/bin/etcd", "hdss7-22": "/usr/bin/containerd", "hdss7-11": "/usr/sbin/nginx"}


def test_what_runs_an_older_binary_is_renewed_and_nobody_notices() -> None:
    before = on("hdss7-11", "cat /run/nginx.pid")
    for host, binary in REPLACED.items():
        on(host, f"cp -p {binary} {binary}.new && mv {binary}.new {binary}")
    planned = invoke("plan")
    assert planned.code == 2, str(planned)
    for binary in REPLACED.values():
        assert f"it runs an older binary than {binary}" in planned.output, str(planned)
    with clients(NAME) as prober:
        deployed = invoke("deploy")
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    assert on("hdss7-11", "cat /run/nginx.pid") != before
    assert on("hdss7-11", "systemctl is-active nginx") == "active"


def test_nginx_is_renewed_once_at_a_time() -> None:
    # the old one answers on: kubelets have connections to the API through it that last for days
    on("hdss7-11", "cp -p /usr/sbin/nginx /usr/sbin/nginx.new && mv /usr/sbin/nginx.new /usr/sbin/nginx")
    refused = invoke("deploy")
    assert refused.code == 1, str(refused)
    said = re.search(r"an older nginx, process (\d+), still answers .* or end it: kill -TERM (\d+)", refused.errors)
    assert said, str(refused)
    assert said[1] == said[2]
    with clients(NAME) as prober:
        on("hdss7-11", f"kill -TERM {said[2]}; while [ -e /run/nginx.pid.oldbin ]; do sleep 0.1; done")
        deployed = invoke("deploy", "--extra-vars", "edge.keepalive=31")
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    assert on("hdss7-11", "systemctl is-active nginx") == "active"
    assert on("hdss7-11", "systemctl show -P MainPID nginx") != said[2]


def test_nothing_is_left_to_do_afterwards() -> None:
    assert invoke("deploy").code == 0
    assert invoke("plan").code == 0
