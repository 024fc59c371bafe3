"""What a lab makes of an inventory."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lab.topology import HostSpec, Topology, arranged, topology
from provision.errors import InputError
from provision.inventory import Inventory

ROOT = Path(__file__).resolve().parents[3]
SUDO_SITE = """
all:
  vars:
    ansible_user: ops
    ansible_port: 2222
    ansible_become: true
    ansible_become_password: secret
  children:
    edge: {hosts: {front: {ansible_host: 10.9.1.5, ansible_port: 22}}}
    dns: {hosts: {names: {ansible_host: 10.9.1.6}}}
    nodes:
      vars: {ansible_ssh_common_args: "-J ops@front"}
      hosts: {n1: {ansible_host: 10.9.1.11}, n2: {ansible_host: 10.9.1.12}}
"""


def made_of(tmp_path: Path, text: str) -> Topology:
    (tmp_path / "hosts.yml").write_text(text)
    return topology(Inventory.load([tmp_path]))


def test_the_default_inventory_is_the_courses_site() -> None:
    lab = topology(Inventory.load([ROOT / "inventory" / "lab"]))
    assert {host.name: host.address for host in lab.hosts} == {
        "hdss7-11": "10.4.7.11",
        "hdss7-21": "10.4.7.21",
        "hdss7-22": "10.4.7.22",
        "hdss7-200": "10.4.7.200",
    }
    assert lab.ops.name == "hdss7-200"
    assert [host.name for host in lab.booted] == ["hdss7-11", "hdss7-21", "hdss7-22"]
    assert (lab.network, lab.gateway) == ("10.4.7.0/24", "10.4.7.254")
    assert lab.resolver == lab.edge == "10.4.7.11"


def test_the_virtual_machine_is_one_more_host() -> None:
    lab = topology(Inventory.load([ROOT / "inventory" / "lab", ROOT / "inventory" / "lab-vm"]))
    assert [(host.name, host.address) for host in lab.booted if host.virtual] == [("hdss7-23", "10.4.7.23")]
    assert lab.ops.name == "hdss7-200"


def test_names_lead_to_the_address_that_edges_share() -> None:
    lab = topology(Inventory.load([ROOT / "inventory" / "lab-ha"], namespaces=frozenset({"site"})))
    assert [host.name for host in lab.booted] == ["hdss7-11", "hdss7-12", "hdss7-21", "hdss7-22"]
    assert lab.edge == "10.4.7.10"


def test_a_site_of_another_shape_is_read_as_an_ansible_user_wrote_it(tmp_path: Path) -> None:
    lab = made_of(tmp_path, SUDO_SITE)
    assert lab.host("n1") == HostSpec("n1", "10.9.1.11", 2222, "ops", "secret", behind="front")
    assert lab.host("10.9.1.5") == HostSpec("front", "10.9.1.5", 22, "ops", "secret")
    assert (lab.edge, lab.resolver) == ("10.9.1.5", "10.9.1.6")


def test_the_domain_is_the_inventorys(tmp_path: Path) -> None:
    hosts = "all: {{vars: {{site: {}}}, hosts: {{a: {{ansible_host: 10.9.1.5}}}}}}"
    assert made_of(tmp_path, hosts.format("{domain: example.org}")).domain == "example.org"
    assert made_of(tmp_path, hosts.format("{vip: 10.9.1.5}")).domain == "od.com"
    assert made_of(tmp_path, hosts.format("{images: '{{ not_served_yet }}'}")).domain == "od.com"


def test_what_is_written_down_of_a_lab_holds_no_password(tmp_path: Path) -> None:
    lab = made_of(tmp_path, SUDO_SITE)
    assert "secret" not in msgspec.json.encode(lab.public).decode()
    assert {host.password for host in lab.public.booted} == {"*"}
    assert lab.public == made_of(tmp_path, SUDO_SITE.replace("secret", "another")).public


def test_a_site_without_an_ops_host_gets_one_at_a_free_address(tmp_path: Path) -> None:
    assert made_of(tmp_path, SUDO_SITE).ops == HostSpec("ops", "10.9.1.200", ops=True)
    taken = tuple(HostSpec(f"h{n}", f"10.9.1.{n}") for n in (200, 199, 254))
    lab = arranged(taken)
    assert (lab.ops.address, lab.gateway) == ("10.9.1.198", "10.9.1.253")


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ("{a: {ansible_host: 10.9.1.5}, b: {ansible_host: 10.9.1.5}}", "10.9.1.5 is the address of two hosts, a and b"),
        ("{a: {ansible_host: 10.9.1.5}, b: {ansible_host: 10.9.2.5}}", "10.9.2.5 is outside 10.9.1.0/24"),
        ("{web.example.com: {}}", "needs an IPv4 address and got 'web.example.com'"),
        ("{a: {ansible_host: 10.9.1.5, ansible_ssh_common_args: -J far.example.com}}", "jump host far.example.com"),
    ],
)
def test_hosts_that_fit_no_lab_are_refused_in_one_paragraph(tmp_path: Path, hosts: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        made_of(tmp_path, f"all: {{hosts: {hosts}}}")
    assert said in str(caught.value)
    assert caught.value.explanation.do
    assert "\n" not in str(caught.value)
