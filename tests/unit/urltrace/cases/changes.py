"""Changes of the evidence that faults of several hops share."""

from __future__ import annotations

from tests.unit.urltrace.site import EDGE, N21, N22, NGINX, Change, page, put, rawdata
from urltrace.evidence import Answer

BAD_GATEWAY = page("502 Bad Gateway", body="Bad Gateway")
NO_ROUTES = put(*(Answer("rawdata", node.name, rawdata({})) for node in (N21, N22)))
FILTER = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"


def configuration(old: str, new: str) -> Change:
    assert old in NGINX
    return put(Answer("nginx -T", EDGE.name, NGINX.replace(old, new)))


def rule(host: str, line: str) -> Change:
    return put(Answer("filter", host, FILTER + line + "\n"))


def filtered(source: str, mode: int = 1) -> Answer:
    """What hdss7-22 says of its filter: the mode of eth0, and a source whose way back is by another device."""
    text = (
        f"net.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.eth0.rp_filter = {mode}\n"
        f"from {source} iif eth0: RTNETLINK answers: Invalid argument; back: {source} dev aside src 10.4.7.22 uid 0\n"
        "IPReversePathFilter 4 7\n"
    )
    return Answer("reverse path", N22.name, text)
