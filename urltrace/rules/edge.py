"""The edge's nginx: whether it answers, which server takes the request, and where it sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from urltrace.evidence import OUTSIDE, Host
from urltrace.exchange import Exchange
from urltrace.finding import Cleared, Finding, Proof, proof, proof_of
from urltrace.nginx.syntax import Directive
from urltrace.nginx.upstreams import effective, host_sent
from urltrace.request import host_of
from urltrace.rules import address, certificate
from urltrace.view import View

REFUSING = {
    403: ("edge-denied", "refuses the client", ("deny",)),
    401: ("edge-password", "asks for a password", ("auth_basic", "auth_request")),
    413: ("edge-body", "takes no body of that size", ()),
    429: ("edge-limit", "limits how often it is asked", ("limit_req", "limit_conn")),
    503: ("edge-limit", "limits how often it is asked", ("limit_req", "limit_conn")),
    400: ("edge-header", "takes no header of that size", ("large_client_header_buffers",)),
    414: ("edge-header", "takes no path of that length", ("large_client_header_buffers",)),
}
STATE = re.compile(r"^(started|changed) (\d+)(?: (.*))?$", re.MULTILINE)


def not_listening(view: View) -> Iterator[Finding]:
    """Nothing answers at the edge."""
    for edge, found in _asked(view):
        if found.outcome not in ("refused", "no connection", "unreachable"):
            continue
        listen = view.evidence.answer("listen", edge.name)
        listening = listen is not None and _listens(listen.output, view.request.port)
        if listen is not None and not listening and '"nginx"' in listen.output and view.edge_choices.get(edge.name):
            continue  # it runs, and has no server for the port: that is said by the configuration
        if listen is not None and not listening:
            yield Finding(
                hop="edge",
                cause="nginx-down",
                where=f"nginx on {edge.name}",
                sentence=f"nothing listens on port {view.request.port} of {edge.name}",
                do=f"On {edge.name}: nginx -t && systemctl restart nginx",
                proof=(*proof_of(found), *proof(listen)),
            )
        elif found.outcome == "refused" or listening:
            verb = "refuses" if found.outcome == "refused" else "drops"
            yield Finding(
                hop="edge",
                cause="edge-firewall",
                where=f"the firewall of {edge.name}",
                sentence=f"{edge.name} {verb} connections to port {view.request.port}, where nginx listens",
                do=f"Look for the rule on {edge.name}: iptables-save -c | grep -E 'REJECT|DROP'; nft list ruleset",
                proof=(*proof_of(found), *proof(listen)),
            )


def silent(view: View) -> Iterator[Finding]:
    """nginx takes connections in its kernel, and answers nobody, while the nodes answer."""
    for edge, found in _asked(view):
        nodes = [one for node in view.site.nodes for one in (view.on_node(node),) if one and one.outcome == "answered"]
        if found.outcome != "silent" or not nodes or min(one.first for one in nodes) > found.total / 2:
            continue
        state = view.evidence.answer("nginx-state", edge.name)
        frozen = re.findall(r"^state T (\d+)$", state.output, re.MULTILINE) if state else []
        reached = all(
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


def _to_nodes(view: View, name: str) -> bool:
    """Whether nginx sends the request to nodes, and to nothing else."""
    choice = view.edge_choices.get(name)
    asked = choice.proxied.asked if choice and choice.proxied else ()
    return {f"{one.address}:{one.port}" for one in asked} <= {view.node_target(node) for node in view.site.nodes}


def too_many_connections(view: View) -> Iterator[Finding]:
    """A worker has no connection left."""
    for edge, found in _asked(view):
        log = view.evidence.answer("log nginx", edge.name)
        lines = (
            re.findall(r"^.*(?:worker_connections are not enough|Too many open files).*$", log.output, re.M)
            if log
            else []
        )
        if found.ok or (found.outcome == "answered" and not found.by_nginx) or not lines or not log:
            continue
        limit = _directive(view, edge.name, "events", "worker_connections")
        yield Finding(
            hop="edge",
            cause="edge-connections",
            where=limit.place if limit else f"nginx on {edge.name}",
            sentence=f"nginx on {edge.name} has no connection left for the request"
            + (f": {limit} in {limit.place}" if limit else ": worker_connections or open files are used up"),
            do=f"Raise it in {limit.place if limit else 'nginx.conf'}, then nginx -t and nginx -s reload",
            proof=(*proof_of(found), *proof(log, lines[-1])),
        )


def _directive(view: View, name: str, block: str, directive: str) -> Directive | None:
    main = view.configurations.get(name)
    return next((line for held in (main.all(block) if main else ()) for line in held.all(directive)), None)


def default_server(view: View) -> Iterator[Finding]:
    """No server block has the name."""
    for name, choice in view.edge_choices.items():
        if choice.server and choice.server.default and _failed(view, name) and not choice.proxied:
            yield Finding(
                hop="edge",
                cause="no-server-block",
                where=choice.server.server.place,
                sentence=f"no server block of {name} has the name {view.request.name}: {choice.server.sentence}",
                do=f"Write server_name {view.request.name} into a server block in /etc/nginx/conf.d, then nginx -t and "
                "nginx -s reload",
                proof=_whole(view, name),
            )


def no_server(view: View) -> Iterator[Finding]:
    """The configuration has nothing for the port."""
    for name, choice in view.edge_choices.items():
        if choice.server is None:
            yield Finding(
                hop="edge",
                cause="no-listen",
                where=f"nginx on {name}",
                sentence=f"no server of {name} listens on port {view.request.port}",
                do=f"Write listen {view.request.port} into a server block, then nginx -t and nginx -s reload",
                proof=_whole(view, name),
            )


def answers_itself(view: View) -> Iterator[Finding]:
    """The server or the location answers, and nothing is proxied."""
    for name, choice in view.edge_choices.items():
        found = _from_outside(view, name)
        if found is None or found.ok or not choice.server or choice.server.default:
            continue
        if choice.location is None:
            sentence = f"nginx on {name} refuses the path {view.request.path} (400)"
            do = "Ask for a path without '..' above the top, and with whole percent-encodings."
            yield Finding("edge", "path-refused", choice.server.server.place, sentence, do, _whole(view, name))
        elif choice.proxied is None or any(line.name == "return" for line in choice.rules):
            rule = next((line for line in choice.rules if line.name in ("return", "rewrite")), None)
            said = f"'{rule}' in {rule.place}" if rule else "it has no proxy_pass"
            yield Finding(
                hop="edge",
                cause="not-proxied",
                where=rule.place if rule else choice.location.sentence,
                sentence=f"nginx on {name} answers itself, by {choice.location.sentence}: {said}",
                do="Give the location a proxy_pass, or take it away; then nginx -t and nginx -s reload",
                proof=_whole(view, name),
            )


def refuses(view: View) -> Iterator[Finding]:
    """A rule of the edge refuses the request."""
    for name, choice in view.edge_choices.items():
        found = _from_outside(view, name)
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


def wrong_upstream(view: View) -> Iterator[Finding]:
    """The upstream of Traefik names a server that is none; another server hides it, at half of the capacity."""
    targets = {view.node_target(node) for node in view.site.nodes}
    nodes = {node.address for node in view.site.nodes}
    for name, choice in view.edge_choices.items():
        asked = choice.proxied.asked if choice.proxied else ()
        known = any(f"{one.address}:{one.port}" in targets for one in asked)
        for backend in asked:
            target = f"{backend.address}:{backend.port}"
            # an upstream of something else is none of Traefik's
            lost = not known and _gave_up(view, name)
            if target in targets or not (known or lost or backend.address in nodes):
                continue
            yield Finding(
                hop="edge",
                cause="wrong-upstream",
                where=backend.place,
                sentence=f"nginx on {name} sends to {target} ({backend.place}), and Traefik is at "
                f"{', '.join(sorted(targets))}",
                do=f"Correct the server in {backend.place}, then nginx -t and nginx -s reload",
                proof=_whole(view, name),
            )


def all_down(view: View) -> Iterator[Finding]:
    """Every server of the upstream is marked down."""
    for name, choice in view.edge_choices.items():
        if choice.proxied and choice.proxied.backends and not choice.proxied.asked:
            place = choice.proxied.backends[0].place
            yield Finding(
                hop="edge",
                cause="all-drained",
                where=place,
                sentence=f"every server of upstream {choice.proxied.upstream} on {name} is marked down ({place})",
                do=f"Take 'down' from a server that answers, in {place}, then nginx -t and nginx -s reload",
                proof=_whole(view, name),
            )


def host_lost(view: View) -> Iterator[Finding]:
    """nginx sends another Host than it was asked for."""
    for name, choice in view.edge_choices.items():
        if not choice.proxied or not _failed(view, name):
            continue
        sent = host_sent(view.configurations[name], choice.proxied, view.request.host)
        if sent and host_of(sent).lower() != view.request.name and any(view.on_node(node) for node in view.site.nodes):
            yield Finding(
                hop="edge",
                cause="host-lost",
                where=choice.proxied.place,
                sentence=f"nginx on {name} sends Host {sent} to Traefik, and not {view.request.name} "
                f"({choice.proxied.place})",
                do=f"Write proxy_set_header Host $host; beside {choice.proxied.place}, then nginx -t and reload",
                proof=_whole(view, name),
            )


def penalised(view: View) -> Iterator[Finding]:
    """nginx says that no node answers, and all of them answer the edge: it still leaves them out."""
    for name, choice in view.edge_choices.items():
        found = _from_outside(view, name)
        if found is None or not found.by_nginx or found.status not in (502, 504) or not choice.proxied:
            continue
        nodes = [view.exchange("node", view.node_target(node), name) for node in view.site.nodes]
        known = {view.node_target(node) for node in view.site.nodes}
        asked = {f"{backend.address}:{backend.port}" for backend in choice.proxied.asked}
        if asked and asked <= known and all(one and one.outcome == "answered" for one in nodes):
            log = view.evidence.answer("log nginx", name)
            line = next((line for line in reversed(log.output.splitlines()) if "upstream" in line), "") if log else ""
            yield Finding(
                hop="edge",
                cause="nodes-left-out" if found.status == 502 else "edge-timeout",
                where=f"nginx on {name}",
                sentence=f"nginx on {name} answers {found.status} although every node answers {name} now"
                + (f": {line.partition('] ')[2].partition(', client')[0]}" if line else ""),
                do=f"Wait for fail_timeout ({choice.proxied.asked[0].fail_timeout}), or run nginx -s reload on {name}",
                proof=(*proof_of(found), *(proof(log, line) if line else ())),
            )


def impatient(view: View) -> Iterator[Finding]:
    """nginx gives up earlier than the application answers."""
    for name, choice in view.edge_choices.items():
        found = _from_outside(view, name)
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


def old_configuration(view: View) -> Iterator[Finding]:
    """The files changed after nginx last read them."""
    for edge in view.site.edges:
        answer = view.evidence.answer("nginx-state", edge.name)
        said = {found[1]: (int(found[2]), found[3]) for found in STATE.finditer(answer.output)} if answer else {}
        if len(said) == 2 and said["changed"][0] > said["started"][0] + 1:
            yield Finding(
                hop="edge",
                cause="not-reloaded",
                where=f"nginx on {edge.name}",
                sentence=f"nginx on {edge.name} runs an older configuration than {said['changed'][1]}",
                do=f"On {edge.name}: nginx -t && nginx -s reload, then look for 'emerg' in its error log",
                proof=proof(answer),
                latent=not _failed(view, edge.name),
            )


def conflicting_name(view: View) -> Iterator[Finding]:
    """Two servers have the name; nginx ignores the second."""
    for name, choice in view.edge_choices.items():
        for shadowed in choice.server.shadowed if choice.server else ():
            assert choice.server
            yield Finding(
                hop="edge",
                cause="server-shadowed",
                where=shadowed.place,
                sentence=f"nginx on {name} ignores the server in {shadowed.place}: {choice.server.server.place} has "
                f"the same name {choice.server.matched}",
                do=f"Take the name from one of the two, then nginx -t and nginx -s reload on {name}",
                proof=_whole(view, name),
                latent=not _failed(view, name),
            )


def cleared(view: View) -> Cleared | None:
    """The edge is right when it would send the request, with its Host, to every node."""
    for name, choice in view.edge_choices.items():
        proxied = choice.proxied
        if not choice.server or not proxied:
            continue
        if host_of(host_sent(view.configurations[name], proxied, view.request.host)).lower() == view.request.name:
            asked = ", ".join(f"{one.address}:{one.port}" for one in proxied.asked)
            return Cleared("edge", f"{choice.server.sentence} on {name} sends Host {view.request.name} to {asked}")
    return None


def _asked(view: View) -> Iterator[tuple[Host, Exchange]]:
    for edge in view.site.edges:
        found = view.exchange("edge", f"{edge.address}:{view.request.port}", OUTSIDE)
        if found:
            yield edge, found


def _from_outside(view: View, name: str) -> Exchange | None:
    return next((found for edge, found in _asked(view) if edge.name == name), None)


def _gave_up(view: View, name: str) -> bool:
    found = _from_outside(view, name)
    return found is not None and (found.outcome == "silent" or (found.by_nginx and found.status in (502, 504)))


def _failed(view: View, name: str) -> bool:
    found = _from_outside(view, name)
    return found is not None and not found.ok


def _whole(view: View, name: str) -> tuple[Proof, ...]:
    """What a client gets, and what nginx has written of it."""
    log = view.evidence.answer("log access", name)
    return (*proof_of(_from_outside(view, name)), *(proof(log) if log and log.output else ()))


def _listens(text: str, port: int) -> bool:
    return bool(re.search(rf":{port}\s", text))


RULES = (
    not_listening,
    silent,
    *address.RULES,
    no_server,
    default_server,
    refuses,
    answers_itself,
    all_down,
    wrong_upstream,
    host_lost,
    old_configuration,
    impatient,
    penalised,
    too_many_connections,
    *certificate.RULES,
    conflicting_name,
)
