"""The container runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.verify.checks import Checking, Node, NotHere, check

if TYPE_CHECKING:
    from roles._site import SiteSettings


@pytest.mark.gate
@check
def test_answers(node: Node) -> Checking:
    """containerd answers"""
    answer = yield node.sh("ctr version")
    assert answer.ok, f"ctr version gave {answer}"


@check
def test_images(node: Node, site: SiteSettings) -> Checking:
    """images that come from an archive are on the node"""
    wanted = [image.name for image in site.images.values() if image.url]
    if not wanted:
        raise NotHere("every image comes from a registry")
    answer = yield node.sh("ctr -n k8s.io images ls -q")
    missing = [name for name in wanted if name not in answer.lines]
    assert not missing, f"missing: {', '.join(missing)}"
