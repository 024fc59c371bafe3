"""Services' addresses and node ports. 'RUNNING' under supervisord proves nothing: three facts have to agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from provision.remote.shell import quote
from provision.resources.kubernetes.proxy_rules import LEFT, look
from provision.verify.checks import Checking, Node, check
from roles._cluster import BIN, api_service

if TYPE_CHECKING:
    from roles._site import SiteSettings
    from roles.kube_proxy import Settings

# One line a process: its number, the names of its ancestors, then its arguments with tabs between.
PROCESSES = r"""
for d in $(grep -slx kube-proxy /proc/[0-9]*/comm); do
  d=${d%/comm}; n=${d#/proc/}; p=$n; above=
  while p=$(awk '/^PPid:/ {print $2}' "/proc/$p/status") && [ "$p" -gt 0 ]; do
    above="$above $(cat "/proc/$p/comm")"
  done
  printf '%s|%s|%s\n' "$n" "$above" "$(tr '\0' '\t' <"$d/cmdline")"
done
"""
OWN = {"iptables": (), "nftables": ("table",), "ipvs": ("link", "set", "server")}  # what the mode itself makes
END = "looked through"  # said last: without it nothing found would mean nothing
CONFIGURED = re.compile(r"\t--config[=\t]([^\t]+)")
LISTING = 20.0  # seconds: a small host takes several to list the rules of three modes, more with many Services
SHOWN = 90  # characters of a process: its number, its ancestors, the beginning of its command line
ASKED = re.compile(r"\t--proxy-mode[=\t]([^\t]+)")


@pytest.mark.gate
@check
def test_one_process(node: Node) -> Checking:
    """exactly one kube-proxy runs, as a child of supervisord"""
    # a start script without exec leaves the real program behind when supervisord stops the shell around it
    answer = yield node.sh(PROCESSES)
    # each cut by itself: one long command line must not push the next process out of what is shown
    found = "; ".join(line.replace("\t", " ")[:SHOWN] for line in answer.lines) or "nothing"
    assert len(answer.lines) == 1, f"{len(answer.lines)} processes run: {found}"
    number, ancestors, _ = answer.lines[0].split("|", 2)
    assert ancestors.split()[:1] == ["supervisord"], f"process {number} is a child of {' < '.join(ancestors.split())}"


@pytest.mark.gate
@check
def test_mode(node: Node, settings: Settings) -> Checking:
    """kube-proxy runs in the mode that was set"""
    running = yield node.sh("curl -sS -m 5 http://127.0.0.1:10249/proxyMode")
    assert running.text == settings.mode, f"/proxyMode gave {running}, the setting says {settings.mode}"
    process = yield node.sh(PROCESSES)
    started = ASKED.search(process.text)
    configured = CONFIGURED.search(process.text)
    if configured:  # then the program does not look at its other flags
        answer = yield node.sh(f"cd {BIN}; sed -n 's/^mode: *//p' {quote(configured[1])}")
        assert answer.text.strip("\"'") == settings.mode, f"{configured[1]} says {answer}, the setting {settings.mode}"
    else:
        assert started, f"its command line says no mode: {process}"
        assert started[1] == settings.mode, f"its command line says {started[1]}, the setting {settings.mode}"


@pytest.mark.gate
@check
def test_health(node: Node) -> Checking:
    """kube-proxy has its rules up to date"""
    answer = yield node.sh("curl -sS -m 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:10256/healthz")
    assert answer.text == "200", f"/healthz gave {answer}"


@pytest.mark.gate
@check
def test_rules(node: Node, site: SiteSettings, settings: Settings) -> Checking:
    """the kernel has the rules of that mode"""
    api = str(api_service(site))
    command = {
        "iptables": f"iptables-save -t nat | grep -e '^-A KUBE-SERVICES -d {api}/32 '",
        "nftables": f"nft list map ip kube-proxy service-ips | grep -e '{api} '",
        "ipvs": f"ipvsadm -Ln | grep -e 'TCP  {api}:443 '",
    }[settings.mode]
    answer = yield node.sh(command)
    assert answer.ok, f"no rule of mode {settings.mode} leads to the service kubernetes, {api}: {answer}"


@pytest.mark.gate
@check
def test_no_leftovers(node: Node, site: SiteSettings, settings: Settings) -> Checking:
    """nothing is left of the other modes"""
    looked = f"{look(site.service_cidr)}chains {quote(LEFT[settings.mode])}; tables; link; sets; servers; echo {END}"
    answer = yield node.sh(looked, timeout=LISTING)
    *held, end = answer.lines or [""]
    assert end == END, f"the kernel could not be looked through: {answer}"
    # a virtual server that no Service has is another program's
    left = [line for line in held if line.split()[0] not in ("foreign", *OWN[settings.mode])]
    assert not left, f"{len(left)} found: {'; '.join(left[:4])}"
