"""Names, as bind answers them to whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.verify.checks import Checking, Node, Place, check, gather
from roles.bind import records
from tests.verify.wire import lookup

if TYPE_CHECKING:
    from roles._site import SiteSettings
    from roles.bind import Settings

# the serial that is served, and the one on disk
SERIALS = """rndc zonestatus {zone} | sed -n 's/^serial: //p' | tr '\\n' ' '
named-checkzone {zone} /etc/bind/zones/{zone}.zone | sed -n 's/.*loaded serial \\([0-9]*\\).*/\\1/p'"""


@check
def test_site_names(node: Node, site: SiteSettings, settings: Settings, outside: Place) -> Checking:
    """names of the site lead to its entrance, asked from outside"""
    names = {f"{name}.{site.domain}": address for name, address in records(node.host, site, settings).items()}
    answers = yield from gather(outside.sh(lookup(node.address, name)) for name in names)
    for (name, wanted), answer in zip(names.items(), answers, strict=True):
        assert answer.text == f"0 {wanted}", f"{name} gave {answer}, and should lead to {wanted}"


@check
def test_host_names(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """names of the hosts lead to them, asked from outside"""
    hosts = node.host.inventory.hosts
    answers = yield from gather(outside.sh(lookup(node.address, f"{h.name}.{site.host_domain}")) for h in hosts)
    for host, answer in zip(hosts, answers, strict=True):
        assert answer.text == f"0 {host.address}", f"{host.name}.{site.host_domain} gave {answer}"


@check
def test_tcp(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """names are answered over TCP too"""
    answer = yield outside.sh(lookup(node.address, f"traefik.{site.domain}", "tcp"))
    assert answer.text.startswith("0 "), f"traefik.{site.domain} over TCP gave {answer}"


@check
def test_unpublished_name(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """a name that nobody published does not exist"""
    answer = yield outside.sh(lookup(node.address, f"nobody-published-this.{site.domain}"))
    assert answer.text == "3", f"nobody-published-this.{site.domain} gave {answer}, and should not exist (3)"


@check
def test_cluster_names_stay_inside(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """names of the cluster mean nothing outside it"""
    # the course's reader curls one on a host and wonders: hosts ask bind, only pods ask CoreDNS
    url = f"http://nginx-ds.default.svc.{site.cluster_domain}/"
    answer = yield outside.sh(f"curl -sS -m 5 -o /dev/null {url}")
    assert answer.code == 6, f"curl {url} from outside gave {answer}, and should be exit code 6: could not resolve host"


@check
def test_zones_on_disk_are_served(node: Node, site: SiteSettings) -> Checking:
    """the zones that are served are those on disk"""
    zones = (site.domain, site.host_domain)
    answers = yield from gather(node.sh(SERIALS.format(zone=zone)) for zone in zones)
    for zone, answer in zip(zones, answers, strict=True):
        served, _, written = answer.text.partition(" ")
        assert served, f"rndc knows no zone {zone}: {answer}"
        assert served == written, f"{zone} is served with serial {served}, the file on disk has {written or 'none'}"
