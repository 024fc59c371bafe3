"""BIND's zones: what they hold, how serials grow, and what is refused."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from provision.errors import InputError
from provision.remote.shell import function
from provision.resources import Bind, ConfigSet
from tests.unit.conftest import Declared


def zone(declared: Declared, name: str, *extra: str) -> str:
    found = declared("hdss7-11", "bind", *extra, made=False)["ConfigSet /etc/bind"]
    assert isinstance(found, ConfigSet)
    content = found.files[f"zones/{name}.zone"]
    assert isinstance(content, bytes)
    return content.decode()


def test_the_sites_names_lead_to_the_edge_or_to_the_vip(declared: Declared) -> None:
    assert "\ntraefik IN A 10.4.7.11\n" in zone(declared, "od.com")
    assert "\ntraefik IN A 10.4.7.10\n" in zone(declared, "od.com", "site.vip=10.4.7.10")


def test_a_name_of_ones_own_is_added_to_the_published_ones(declared: Declared) -> None:
    text = zone(declared, "od.com", "bind.records.grafana=", "bind.records.harbor=10.4.7.200")
    assert "\ngrafana IN A 10.4.7.11\n" in text
    assert "\nharbor IN A 10.4.7.200\n" in text
    assert "\ndemo IN A 10.4.7.11\n" in text


def test_nothing_unpublished_has_a_name(declared: Declared) -> None:
    assert "*" not in zone(declared, "od.com")


def test_hosts_have_a_zone_of_their_own(declared: Declared) -> None:
    assert "\nhdss7-22 IN A 10.4.7.22\n" in zone(declared, "host.com")


def test_hosts_and_sites_in_one_zone_are_refused(declared: Declared) -> None:
    with pytest.raises(InputError, match=r"both host\.com.*such as hosts\.host\.com"):
        declared("hdss7-11", "bind", "site.domain=host.com", made=False)


def test_a_record_that_is_no_address_is_refused(declared: Declared) -> None:
    with pytest.raises(InputError, match=r"'10\.4\.7\.990' is not an IPv4 address") as error:
        declared("hdss7-11", "bind", "bind.records.bad=10.4.7.990", made=False)
    assert "bind.records.bad" in str(error.value)


def serial(new: Path, now: Path) -> int:
    """The serial that the host writes for what stands at `new`, with `now` in use."""
    script = function("complete_set", Bind(("od.com",)).complete())
    subprocess.run(["sh", "-c", f"{script}NEW={new} CURRENT={now} complete_set"], check=True)
    found = re.search(r"\((\d+) ", (new / "zones/od.com.soa").read_text())
    assert found
    return int(found[1])


def test_only_a_changed_zone_gets_a_greater_serial(tmp_path: Path) -> None:
    sets = [tmp_path / str(number) for number in range(4)]
    for folder, text in zip(sets, ("a", "a", "b", "c"), strict=True):
        (folder / "zones").mkdir(parents=True)
        (folder / "zones/od.com.zone").write_text(text)
    first = serial(sets[0], tmp_path / "none")
    assert re.fullmatch(r"20\d{6}01", str(first))
    assert serial(sets[1], sets[0]) == first
    assert serial(sets[2], sets[1]) == first + 1
    assert serial(sets[3], sets[2]) == first + 2


def test_a_serial_ahead_of_the_calendar_still_grows(tmp_path: Path) -> None:
    for name, text in (("old", "a"), ("new", "b")):
        (tmp_path / name / "zones").mkdir(parents=True)
        (tmp_path / name / "zones/od.com.zone").write_text(text)
    (tmp_path / "old/zones/od.com.soa").write_text("@ IN SOA dns dnsadmin (2999123199 1 1 1 1)\n")
    assert serial(tmp_path / "new", tmp_path / "old") == 2999123200
