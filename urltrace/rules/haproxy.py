"""HAProxy as the edge's program: it hangs, leaves every node out, or answers by itself."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.finding import Cleared, Finding, proof, proof_of
from urltrace.rules.at_edge import asked, whole
from urltrace.view import View

RESTART = "haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/site/users.d && systemctl restart haproxy"
REFUSING = {
    401: ("edge-password", "asks for a password"),
    403: ("edge-denied", "refuses the client"),
    429: ("edge-limit", "limits how often it is asked"),
    400: ("edge-header", "takes no header of that size"),
    413: ("edge-body", "takes no body of that size"),
    414: ("edge-header", "takes no path of that length"),
}


def silent(view: View) -> Iterator[Finding]:
    """Its processes are stopped: the kernel takes connections, and nobody answers them."""
    for edge, found in asked(view):
        # of a handshake that nobody answers curl says that there was no connection
        if edge.name in view.haproxy_edges and found.outcome in ("silent", "no connection"):
            stopped = " ".join(view.stopped(edge.name))
            said = f"its processes {stopped} are stopped"
            if not stopped:
                continue
            yield Finding(
                hop="edge",
                cause="haproxy-silent",
                where=f"HAProxy on {edge.name}",
                sentence=f"HAProxy on {edge.name} takes connections and answers none: {said}",
                do=f"On {edge.name}: kill -CONT {stopped}",
                proof=(*proof_of(found), *proof(view.evidence.answer("haproxy", edge.name), f"state T {stopped}")),
            )


def all_out(view: View) -> Iterator[Finding]:
    """Somebody has left every node out."""
    for name, haproxy in view.haproxies.items():
        nodes = haproxy.nodes(view.site.traefik_port)
        if nodes and all(server.out for server in nodes):
            said = ", ".join(f"{server.backend}/{server.name} is left out" for server in nodes)
            yield Finding(
                hop="edge",
                cause="all-drained",
                where=f"HAProxy on {name}",
                sentence=f"HAProxy on {name} leaves every node out",
                do=f"Take 'disabled' from a node that answers, in /etc/haproxy/haproxy.cfg of {name}, then systemctl "
                "reload haproxy",
                proof=(*whole(view, name), *proof(view.evidence.answer("haproxy", name), said)),
            )


def refuses(view: View) -> Iterator[Finding]:
    """It answers by itself, by what edge.sites and the limits of role edge say."""
    for edge, found in asked(view):
        if edge.name in view.haproxy_edges and found.by_haproxy and found.status in REFUSING:
            cause, words = REFUSING[found.status]
            yield Finding(
                hop="edge",
                cause=cause,
                where=f"HAProxy on {edge.name}",
                sentence=f"HAProxy on {edge.name} {words} ({found.status})",
                do=f"Look at what edge.sites and the limits of role edge say of {view.request.name}, then deploy",
                proof=whole(view, edge.name),
            )


def cleared(view: View) -> Cleared | None:
    """HAProxy is right while it sends requests to a node."""
    for name, haproxy in view.haproxies.items():
        nodes = [f"{one.address}:{one.port}" for one in haproxy.nodes(view.site.traefik_port) if one.up and not one.out]
        if nodes:
            return Cleared("edge", f"HAProxy on {name} sends requests to {', '.join(dict.fromkeys(nodes))}")
    return None


RULES = (silent, all_out, refuses)
