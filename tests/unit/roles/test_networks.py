"""Networks that can't work together are refused offline: what was written, where, and what was probably meant."""

from __future__ import annotations

import pytest

from provision.errors import InputError
from tests.unit.conftest import Declared


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("site.cluster_cidr=10.4.0.0/16", "overlaps the hosts' network 10.4.7.0/24 (hdss7-11 is 10.4.7.11)"),
        ("site.service_cidr=10.4.7.128/25", "overlaps the hosts' network"),
        ("site.service_cidr=172.7.128.0/17", "172.7.128.0/17 overlaps cluster_cidr (172.7.0.0/16)"),
        ("site.cluster_cidr=172.7.21.0/16", "Did you mean 172.7.0.0/16?"),
        ("site.cluster_cidr=172.7.0.0/160", "is not a network"),
        ("site.node_ports=3000:29999", "Did you mean 3000-29999?"),
        ("site.node_ports=29999-3000", "Did you mean 3000-29999?"),
        ("site.node_ports=8000", "Write first-last"),
        ("site.node_ports=30000-70000", "is not a range of ports"),
        ("site.cluster_dns=192.169.0.2", "not in service_cidr 192.168.0.0/16. The course's place is 192.168.0.2"),
        ("site.cluster_dns=192.168.0.1", "always the API server's own"),
        ("site.cluster_dns=coredns", "is not an IPv4 address"),
    ],
)  # fmt: skip
def test_a_network_that_can_not_be_meant(declared: Declared, written: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        declared("hdss7-21", "pki", written)
    assert said in str(error.value)
    assert written.partition("=")[0] in str(error.value)


def test_the_hosts_network_may_be_said_to_be_smaller(declared: Declared) -> None:
    declared("hdss7-21", "pki", "site.service_cidr=10.4.7.224/27", "site.host_cidr=10.4.7.0/25",
             "site.cluster_dns=10.4.7.226")  # fmt: skip
