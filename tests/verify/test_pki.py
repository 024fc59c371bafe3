"""Certificates, as they lie on the hosts: the programs that read them have been restarted since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from provision.resources import Resource
from provision.usage import usage
from provision.verify.checks import Checking, Node, check, gather
from roles._lifetimes import certificate_files


@pytest.mark.on("etcd:masters:nodes")
@check
def test_certificates(node: Node, declared: Sequence[Resource]) -> Checking:
    """no certificate has ended, nor ends within 30 days"""
    files = tuple(certificate_files(declared))
    assert files, "no certificate is declared for it"
    # parsed here: a host need not have openssl
    answers = yield from gather(node.sh(file.read) for file in files)
    now = datetime.now(UTC)
    found = [each for file, answer in zip(files, answers, strict=True) for each in file.lifetimes(answer.output, now)]
    urgent = [each.sentence() for each in found if each.urgent(now)]
    assert not urgent, f"{'; '.join(urgent)}. {usage('deploy')} renews them"
