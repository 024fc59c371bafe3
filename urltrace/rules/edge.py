"""The edge's nginx: whether it answers, which server takes the request, and where it sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from urltrace.finding import Cleared, Finding, proof, proof_of
from urltrace.nginx.sent_path import sent_path
from urltrace.nginx.upstreams import host_sent
from urltrace.request import host_of
from urltrace.rules import address, certificate, edge_answers, haproxy
from urltrace.rules.at_edge import asked, failed, from_outside, gave_up, listens, whole
from urltrace.view import View

RESTART = {"nginx": "nginx -t && systemctl restart nginx", "HAProxy": haproxy.RESTART}
STATE = re.compile(r"^(started|changed) (\d+)(?: (.*))?$", re.MULTILINE)


def not_listening(view: View) -> Iterator[Finding]:
    """Nothing answers at the edge."""
    for edge, found in asked(view):
        if found.outcome not in ("refused", "no connection", "unreachable"):
            continue
        program = view.program(edge.name)
        listen = view.evidence.answer("listen", edge.name)
        listening = listen is not None and listens(listen, view.request.port)
        if listen is not None and not listening and '"nginx"' in listen.output and view.edge_choices.get(edge.name):
            continue  # it runs, and has no server for the port: that is said by the configuration
        if listen is not None and not listening:
            yield Finding(
                hop="edge",
                cause=f"{program.lower()}-down",
                where=f"{program} on {edge.name}",
                sentence=f"nothing listens on port {view.request.port} of {edge.name}",
                do=f"On {edge.name}: {RESTART[program]}",
                proof=(*proof_of(found), *proof(listen)),
            )
        elif found.outcome == "refused" or (listening and not view.stopped(edge.name)):
            verb = "refuses" if found.outcome == "refused" else "drops"
            yield Finding(
                hop="edge",
                cause="edge-firewall",
                where=f"the firewall of {edge.name}",
                sentence=f"{edge.name} {verb} connections to port {view.request.port}, where {program} listens",
                do=f"Look for the rule on {edge.name}: iptables-save -c | grep -E 'REJECT|DROP'; nft list ruleset",
                proof=(*proof_of(found), *proof(listen)),
            )


def default_server(view: View) -> Iterator[Finding]:
    """No server block has the name."""
    for name, choice in view.edge_choices.items():
        if choice.server and choice.server.default and failed(view, name) and not choice.proxied:
            yield Finding(
                hop="edge",
                cause="no-server-block",
                where=choice.server.server.place,
                sentence=f"no server block of {name} has the name {view.request.name}: {choice.server.sentence}",
                do=f"Write server_name {view.request.name} into a server block in /etc/nginx/conf.d, then nginx -t and "
                "nginx -s reload",
                proof=whole(view, name),
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
                proof=whole(view, name),
            )


def answers_itself(view: View) -> Iterator[Finding]:
    """The server or the location answers, and nothing is proxied."""
    for name, choice in view.edge_choices.items():
        found = from_outside(view, name)
        if found is None or found.ok or not choice.server or choice.server.default:
            continue
        if choice.location is None:
            sentence = f"nginx on {name} refuses the path {view.request.path} (400)"
            do = "Ask for a path without '..' above the top, and with whole percent-encodings."
            yield Finding("edge", "path-refused", choice.server.server.place, sentence, do, whole(view, name))
        elif choice.proxied is None or any(line.name == "return" for line in choice.rules):
            rule = next((line for line in choice.rules if line.name in ("return", "rewrite")), None)
            said = f"'{rule}' in {rule.place}" if rule else "it has no proxy_pass"
            yield Finding(
                hop="edge",
                cause="not-proxied",
                where=rule.place if rule else choice.location.sentence,
                sentence=f"nginx on {name} answers itself, by {choice.location.sentence}: {said}",
                do="Give the location a proxy_pass, or take it away; then nginx -t and nginx -s reload",
                proof=whole(view, name),
            )


def wrong_upstream(view: View) -> Iterator[Finding]:
    """The upstream of Traefik names a server that is none; another server hides it, at half of the capacity."""
    targets = {view.node_target(node) for node in view.site.nodes}
    nodes = {node.address for node in view.site.nodes}
    for name, choice in view.edge_choices.items():
        backends = choice.proxied.asked if choice.proxied else ()
        known = any(f"{one.address}:{one.port}" in targets for one in backends)
        for backend in backends:
            target = f"{backend.address}:{backend.port}"
            # an upstream of something else is none of Traefik's
            lost = not known and gave_up(view, name)
            if target in targets or not (known or lost or backend.address in nodes):
                continue
            yield Finding(
                hop="edge",
                cause="wrong-upstream",
                where=backend.place,
                sentence=f"nginx on {name} sends to {target} ({backend.place}), and Traefik is at "
                f"{', '.join(sorted(targets))}",
                do=f"Correct the server in {backend.place}, then nginx -t and nginx -s reload",
                proof=whole(view, name),
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
                proof=whole(view, name),
            )


def host_lost(view: View) -> Iterator[Finding]:
    """nginx sends another Host than it was asked for."""
    for name, choice in view.edge_choices.items():
        if not choice.proxied or not failed(view, name):
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
                proof=whole(view, name),
            )


def path_changed(view: View) -> Iterator[Finding]:
    """nginx asks Traefik for another path than it was asked for, and the nodes answer the right one."""
    for name, choice in view.edge_choices.items():
        served = [one for node in view.site.nodes if (one := view.on_node(node)) and one.ok]
        if not choice.proxied or not failed(view, name) or not served:
            continue
        sent, line = sent_path(choice, view.request.path)
        if sent and sent != view.request.path:
            place, said = (line.place, str(line)) if line else (choice.proxied.place, "the path in proxy_pass")
            yield Finding(
                hop="edge",
                cause="path-rewritten",
                where=place,
                sentence=f"nginx on {name} asks Traefik for {sent}, and not for {view.request.path}: {said} ({place})",
                do=f"Take the path from it in {place}, or give the Ingress the path {sent}; then nginx -t and reload",
                proof=(*whole(view, name), *proof_of(served[0])),
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
                latent=not failed(view, edge.name),
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
                proof=whole(view, name),
                latent=not failed(view, name),
            )


def cleared(view: View) -> Cleared | None:
    """The edge is right when it would send the request, with its Host, to every node."""
    for name, choice in view.edge_choices.items():
        proxied = choice.proxied
        if not choice.server or not proxied:
            continue
        if host_of(host_sent(view.configurations[name], proxied, view.request.host)).lower() == view.request.name:
            backends = ", ".join(f"{one.address}:{one.port}" for one in proxied.asked)
            said = f"{choice.server.sentence} on {name} sends Host {view.request.name} to {backends}"
            return _with_others(view, Cleared("edge", said), name)
    found = haproxy.cleared(view)
    return _with_others(view, found, next(iter(view.haproxies), "")) if found else None


def _with_others(view: View, found: Cleared, name: str) -> Cleared:
    """What is said of one edge, and which other ones answer clients too: any of them may hold the address."""
    others = [f"{edge.name} ({one.status})" for edge, one in asked(view) if edge.name != name and one.ok]
    return Cleared(found.hop, f"{found.because}; answered by {', '.join(others)} too") if others else found


RULES = (
    not_listening,
    *haproxy.RULES,
    edge_answers.silent,
    *address.RULES,
    no_server,
    default_server,
    edge_answers.refuses,
    answers_itself,
    all_down,
    wrong_upstream,
    host_lost,
    path_changed,
    old_configuration,
    *edge_answers.LATE,
    *certificate.RULES,
    conflicting_name,
)
