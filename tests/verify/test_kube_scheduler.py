"""What chooses a node for each pod."""

from __future__ import annotations

from provision.verify.checks import Checking, Node, check
from tests.verify.cluster import kubectl


@check
def test_health(node: Node) -> Checking:
    """kube-scheduler answers"""
    answer = yield node.sh("curl -sSk -m 5 https://127.0.0.1:10259/healthz")
    assert answer.text == "ok", f"https://127.0.0.1:10259/healthz gave {answer}"


@check
def test_leader(node: Node) -> Checking:
    """one of the schedulers leads"""
    answer = yield kubectl(node, "-n kube-system get lease kube-scheduler -o jsonpath='{.spec.holderIdentity}'")
    holder = answer.text.partition("_")[0]
    masters = [master.name for master in node.group("masters")]
    assert any(holder.startswith(name) for name in masters), (
        f"the lease gave {answer}; masters are {', '.join(masters)}"
    )
