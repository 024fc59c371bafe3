"""The edge's nginx takes the request, and answers with an error of its own, late, or never."""

from __future__ import annotations

from collections.abc import Iterator

from urltrace.finding import Finding, proof, proof_of
from urltrace.nginx.syntax import Directive
from urltrace.nginx.upstreams import effective
from urltrace.rules.at_edge import asked, from_outside, log_lines
from urltrace.view import View

# what the log says: the cause, what there is none left of, and where its limit stands
USED_UP = {
    "worker_connections are not enough": ("edge-connections", "connection", ("events", "worker_connections")),
    "Too many open files": ("edge-files", "open file", ("", "worker_rlimit_nofile")),
}
REFUSING = {
    403: ("edge-denied", "refuses the client", ("deny",)),
    401: ("edge-password", "asks for a password", ("auth_basic", "auth_request")),
    413: ("edge-body", "takes no body of that size", ()),
    429: ("edge-limit", "limits how often it is asked", ("limit_req", "limit_conn")),
    503: ("edge-limit", "limits how often it is asked", ("limit_req", "limit_conn")),
    400: ("edge-header", "takes no header of that size", ("large_client_header_buffers",)),
    414: ("edge-header", "takes no path of that length", ("large_client_header_buffers",)),
}


def silent(view: View) -> Iterator[Finding]:
    """nginx takes connections in its kernel, and answers nobody, while the nodes answer."""
    if any(used_up(view)):
        return
    for edge, found in asked(view):
        nodes = [one for node in view.site.nodes for one in (view.on_node(node),) if one and one.outcome == "answered"]
        if edge.name in view.haproxy_edges:
            continue
        state = view.evidence.answer("nginx-state", edge.name)
        frozen = view.stopped(edge.name)
        # of a handshake that nobody answers curl says that there was no connection
        unanswered = found.outcome == "silent" or (found.outcome == "no connection" and frozen)
        if not unanswered or not nodes or min(one.first for one in nodes) > found.total / 2:
            continue
        reached = not view.lost_behind and all(
            one.outcome == "answered" and not one.cut for node in view.site.nodes for one in view.from_edges(node)
        )
        if frozen or (reached and _to_nodes(view, edge.name)):
            stopped = f": its processes {', '.join(frozen)} are stopped" if frozen else ""
            yield Finding(
                hop="edge",
                cause="nginx-silent",
                where=f"nginx on {edge.name}",
                sentence=f"nginx on {edge.name} takes connections and answers none, and the nodes answer{stopped}",
                do=f"On {edge.name}: {'kill -CONT ' + ' '.join(frozen) if frozen else 'systemctl restart nginx'}",
                proof=(*proof_of(found), *proof(state, f"state T {frozen[0]}" if frozen else "")),
            )


def used_up(view: View) -> Iterator[Finding]:
    """A worker has no connection left, or may open no more files."""
    for edge, found in asked(view):
        if found.ok or (found.outcome == "answered" and not found.by_nginx):
            continue
        lines = [line for line in log_lines(view, edge.name) if any(said in line for said in USED_UP)]
        for line in lines[-1:]:  # what it said before may have been mended since
            cause, thing, (block, directive) = next(found for said, found in USED_UP.items() if said in line)
            limit = _directive(view, edge.name, block, directive)
            yield Finding(
                hop="edge",
                cause=cause,
                where=limit.place if limit else f"nginx on {edge.name}",
                sentence=f"nginx on {edge.name} has no {thing} left for the request"
                + (f": {limit} in {limit.place}" if limit else ""),
                do=f"Raise {directive} in {limit.place if limit else 'nginx.conf'}, then nginx -t and nginx -s reload",
                proof=(*proof_of(found), *proof(view.evidence.answer("log nginx", edge.name), line)),
            )


def refuses(view: View) -> Iterator[Finding]:
    """A rule of the edge refuses the request."""
    for name, choice in view.edge_choices.items():
        found = from_outside(view, name)
        if found is None or not found.by_nginx or found.status not in REFUSING:
            continue
        cause, words, directives = REFUSING[found.status]
        rule = next((line for line in choice.rules if line.name in directives), None)
        if found.status == 503 and (rule is None or choice.proxied is None):
            continue
        if found.status in (400, 414):
            if "Large" not in found.body or not choice.server:
                continue
            held = effective(view.configurations[name], [choice.server.server.block], directives[0])
            rule = held[-1] if held else None
        where = rule.place if rule else choice.server.server.place if choice.server else name
        limit = f" (client_max_body_size {choice.body_limit})" if found.status == 413 else ""
        yield Finding(
            hop="edge",
            cause=cause,
            where=where,
            sentence=f"nginx on {name} {words}{limit}{f': {rule}' if rule else ''}, in {where}",
            do=f"Change it in {where}, then nginx -t and nginx -s reload",
            proof=proof_of(found),
        )


def impatient(view: View) -> Iterator[Finding]:
    """nginx gives up earlier than the application answers."""
    for name, choice in view.edge_choices.items():
        found = from_outside(view, name)
        if found is None or found.status != 504 or not found.by_nginx or not choice.server or not choice.location:
            continue
        blocks = [choice.server.server.block, *(one.block for one in choice.location.locations)]
        limit = effective(view.configurations[name], blocks, "proxy_read_timeout")
        late = [one for one in view.exchanges("pod") if one.outcome == "answered" and one.first > found.total]
        if limit and late:
            yield Finding(
                hop="edge",
                cause="edge-timeout",
                where=limit[-1].place,
                sentence=f"nginx on {name} gives up after {found.total:.1f} s ({limit[-1]} in {limit[-1].place}), and "
                f"the application answers after {late[0].first:.1f} s",
                do=f"Raise proxy_read_timeout in {limit[-1].place}, then nginx -t and nginx -s reload",
                proof=(*proof_of(found), *proof_of(late[0])),
            )


def penalised(view: View) -> Iterator[Finding]:
    """nginx says that no node answers, and all of them answer the edge: it still leaves them out."""
    for name, choice in view.edge_choices.items():
        found = from_outside(view, name)
        if found is None or not found.by_nginx or found.status not in (502, 504) or not choice.proxied:
            continue
        nodes = [view.exchange("node", view.node_target(node), name) for node in view.site.nodes]
        known = {view.node_target(node) for node in view.site.nodes}
        backends = {f"{backend.address}:{backend.port}" for backend in choice.proxied.asked}
        reached = not view.lost_behind and all(one and one.outcome == "answered" for one in nodes)
        if backends and backends <= known and reached:
            log = view.evidence.answer("log nginx", name)
            line = next((line for line in reversed(log_lines(view, name)) if "upstream" in line), "")
            yield Finding(
                hop="edge",
                cause="nodes-left-out" if found.status == 502 else "edge-timeout",
                where=f"nginx on {name}",
                sentence=f"nginx on {name} answers {found.status} although every node answers {name} now"
                + (f": {line.partition('] ')[2].partition(', client')[0]}" if line else ""),
                do=f"Wait for fail_timeout ({choice.proxied.asked[0].fail_timeout}), or run nginx -s reload on {name}",
                proof=(*proof_of(found), *(proof(log, line) if line else ())),
            )


def _to_nodes(view: View, name: str) -> bool:
    """Whether nginx sends the request to nodes, and to nothing else."""
    choice = view.edge_choices.get(name)
    backends = choice.proxied.asked if choice and choice.proxied else ()
    return {f"{one.address}:{one.port}" for one in backends} <= {view.node_target(node) for node in view.site.nodes}


def _directive(view: View, name: str, block: str, directive: str) -> Directive | None:
    """A directive of a block of the main file, or of the file itself."""
    main = view.configurations.get(name)
    blocks = (main.all(block) if block else (main,)) if main else ()
    return next((line for held in blocks for line in held.all(directive)), None)


LATE = (used_up, impatient, penalised)  # what explains an answer that nothing before it does
