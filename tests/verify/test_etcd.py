"""The cluster's memory."""

from __future__ import annotations

from provision.verify.checks import Checking, Node, check, gather
from provision.verify.commands import Answer
from roles.etcd import CERT, CLIENT_PORT, HEALTH, Settings

CURL = (
    f"curl -sS -m 5 --cacert {CERT}/ca.pem --cert {CERT}/etcd-peer.pem --key {CERT}/etcd-peer-key.pem "
    f"-X POST -d '{{}}' https://127.0.0.1:{CLIENT_PORT}"
)


@check
def test_health(node: Node, settings: Settings) -> Checking:
    """the member can write"""
    answer = yield node.sh(f"curl -sS -m 5 {HEALTH}/health")
    assert answer.ok, f"{HEALTH}/health gave {answer}"
    if answer.json.get("health") != "true":
        alarms = yield node.sh(f"{CURL}/v3/maintenance/alarm")
        status = yield node.sh(f"{CURL}/v3/maintenance/status")
        assert "NOSPACE" not in alarms.text, (
            f"the alarm NOSPACE is raised, nothing can be written: the database has {_size(status)}, etcd.quota is "
            f"{settings.quota / 1e6:.1f} MB. Set it to more and deploy: that makes room, and takes the alarm back"
        )
    assert answer.json.get("health") == "true", f"{HEALTH}/health gave {answer}"


@check
def test_members(node: Node) -> Checking:
    """the members are the hosts of group etcd, and all see the same leader"""
    members = node.group("etcd")
    answers = yield from gather(member.sh(f"{CURL}/v3/maintenance/status") for member in members)
    for member, answer in zip(members, answers, strict=True):
        assert answer.ok, f"{member.name} gave {answer}"
    leaders = {answer.json.get("leader") for answer in answers}
    assert len(leaders) == 1, f"{len(leaders)} leaders are seen"
    answer = yield node.sh(f"{CURL}/v3/cluster/member/list")
    assert answer.ok, f"the list of members gave {answer}"
    found = sorted(url.split("//")[1].split(":")[0] for m in answer.json["members"] for url in m.get("peerURLs", ()))
    wanted = sorted(member.address for member in node.group("etcd"))
    assert found == wanted, f"members are {', '.join(found)}; the inventory has {', '.join(wanted)}"


@check
def test_nobody_without_a_certificate(node: Node) -> Checking:
    """nobody without a certificate reads it"""
    answer = yield node.sh(f"curl -sSk -m 5 https://{node.address}:{CLIENT_PORT}/version")
    assert not answer.ok, f"a client without a certificate was answered {answer}"


def _size(status: Answer) -> str:
    return f"{int(status.json['dbSize']) / 1e6:.1f} MB" if status.ok else "an unknown size"
