"""What is sent to nsupdate, and by what name a proof is asked for."""

from __future__ import annotations

import pytest

from hdss7.acme.records import challenge_of, update
from roles._acme import challenge, proof


def test_an_update_replaces_the_texts_of_its_names() -> None:
    assert update("od.com", {"_acme.od.com": ["one", "two"], "a.shop._acme.od.com": []}).splitlines() == [
        "zone _acme.od.com.",
        "update delete _acme.od.com. TXT",
        'update add _acme.od.com. 1 TXT "one"',
        'update add _acme.od.com. 1 TXT "two"',
        "update delete a.shop._acme.od.com. TXT",
        "send",
    ]


@pytest.mark.parametrize("name", ["*.od.com", "a.shop.od.com"])
def test_a_proof_is_asked_for_by_its_challenge(name: str) -> None:
    assert challenge_of(proof(name, "od.com"), "od.com") == challenge(name)
