"""The loops that make the cluster what its objects say."""

from __future__ import annotations

from provision.verify.checks import Checking, Node, check
from tests.verify.cluster import kubectl


@check
def test_health(node: Node) -> Checking:
    """kube-controller-manager answers"""
    answer = yield node.sh("curl -sSk -m 5 https://127.0.0.1:10257/healthz")
    assert answer.text == "ok", f"https://127.0.0.1:10257/healthz gave {answer}"


@check
def test_leader(node: Node) -> Checking:
    """one of the controller managers leads"""
    answer = yield kubectl(
        node, "-n kube-system get lease kube-controller-manager -o jsonpath='{.spec.holderIdentity}'"
    )
    holder = answer.text.partition("_")[0]
    masters = [master.name for master in node.group("masters")]
    assert any(holder.startswith(name) for name in masters), (
        f"the lease gave {answer}; masters are {', '.join(masters)}"
    )
