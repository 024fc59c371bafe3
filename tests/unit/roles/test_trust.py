"""A host that trusts another CA than the site's is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provision.errors import Exit
from provision.facts.host import ContentQuestion, FileQuestion, FileState
from provision.plan.plan import Declaration, compare
from provision.resources.base import AS_DECLARED
from roles._trust import ForeignAuthorityError, TooEarlyError, TrustedAuthority, fingerprints
from tests.unit.conftest import Declared

PATH = "/opt/kubernetes-v1.34.4/server/bin/cert/ca.pem"
IN_USE = "/opt/kubernetes/server/bin/cert/ca.pem"
ELSEWHERE = "-----BEGIN CERTIFICATE-----\nYW5vdGhlciBjYQ==\n-----END CERTIFICATE-----\n"


def answers(resource: TrustedAuthority, text: str) -> dict[object, object]:
    state = FileState("f", "644", "root", "root", sha256="0" * 64) if text else FileState()
    return {FileQuestion(PATH): state, ContentQuestion(PATH): text, ContentQuestion(IN_USE): text}


def outcome(resource: TrustedAuthority, text: str) -> object:
    return compare((Declaration(resource, "pki", "roles/pki.py:1", 0),), answers(resource, text))[0].outcome  # type: ignore[arg-type]


def test_another_authority_is_an_error_that_names_both(declared: Declared) -> None:
    ours = declared("hdss7-21", "pki")[f"File {PATH}"]
    with pytest.raises(ForeignAuthorityError) as error:
        outcome(ours, ELSEWHERE)
    assert error.value.exit is Exit.BAD_INPUT
    assert fingerprints(ELSEWHERE)[0] in str(error.value)
    assert fingerprints(ours.content.decode())[0] in str(error.value)


def test_a_host_with_a_ca_is_refused_before_the_first_deploy(declared: Declared) -> None:
    with pytest.raises(ForeignAuthorityError, match="there is none yet"):
        outcome(declared("hdss7-21", "pki", made=False)[f"File {PATH}"], ELSEWHERE)


def test_our_own_with_a_line_added_is_drift_like_any_other(declared: Declared) -> None:
    ours = declared("hdss7-21", "pki")[f"File {PATH}"]
    assert outcome(ours, "") != AS_DECLARED
    assert outcome(ours, ours.content.decode() + "# a note\n") != AS_DECLARED


def test_an_upgrade_is_refused_where_the_old_version_trusts_another(declared: Declared) -> None:
    ours = declared("hdss7-21", "pki")[f"File {PATH}"]
    with pytest.raises(ForeignAuthorityError, match=IN_USE):
        ours.compare({**answers(ours, ""), ContentQuestion(IN_USE): ELSEWHERE}, ())


def test_a_host_that_trusts_the_old_and_the_next_ca_is_ours_in_every_step(declared: Declared) -> None:
    ours = declared("hdss7-21", "pki")[f"File {PATH}"]
    old, both = ours.content, ours.content + ELSEWHERE.encode()
    step = replace(ours, content=both, known=both)
    assert outcome(step, old.decode()) != AS_DECLARED
    assert outcome(step, both.decode()) == outcome(ours, old.decode())
    assert outcome(replace(ours, content=old, known=old), both.decode()) != AS_DECLARED


def test_a_host_that_missed_the_first_step_of_a_replacement_is_left_alone(declared: Declared) -> None:
    ours = declared("hdss7-21", "pki")[f"File {PATH}"]
    both = ours.content + ELSEWHERE.encode()
    step = replace(ours, content=both, known=both, introduced=ELSEWHERE.encode())
    with pytest.raises(TooEarlyError, match=r"Set pki.rotate to 'trust' and deploy to all hosts first") as error:
        outcome(step, ours.content.decode())
    assert error.value.exit is Exit.BAD_INPUT
    outcome(step, both.decode())
    outcome(step, "")  # a new host
