"""Rules of nftables that stop a connection."""

from __future__ import annotations

import pytest

from urltrace.nftables import stopping

RULESET = """table ip filter {
\tchain INPUT { type filter hook input priority filter; policy accept;
\t\tip saddr 10.4.7.11 tcp dport 81 counter packets 0 bytes 0 drop # handle 4
table inet guard {
\tchain in { type filter hook prerouting priority raw; policy accept;
%s
"""


@pytest.mark.parametrize(
    ("rule", "stops"),
    [
        ("ip saddr 10.4.7.11 tcp dport 81 drop # handle 2", True),
        ("tcp dport { 80, 81 } reject with tcp reset", True),
        ("ip saddr != 10.4.7.11 tcp dport 81 drop", False),
        ("ip saddr { 10.4.7.12, 10.4.7.13 } tcp dport 81 drop", False),
        ("ip daddr 10.4.7.21 tcp dport 81 drop", False),
        ("tcp dport 811 drop", False),
        ("ip saddr 10.4.7.11 drop", False),
        ("tcp dport 81 accept", False),
    ],
)
def test_a_rule_stops_what_it_names(rule: str, stops: bool) -> None:
    found = stopping(RULESET % f"\t\t{rule}", source="10.4.7.11", destination="10.4.7.22", port=81)
    assert bool(found) == stops
    assert not stops or found == f"table inet guard: {rule.partition(' # ')[0]}"
