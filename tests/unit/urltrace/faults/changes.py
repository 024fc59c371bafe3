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
