"""The address that the edges share: held by one of them, and every other one would take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.verify.checks import Checking, Node, Place, check, gather
from provision.verify.commands import Reply
from roles.edge import ANSWER
from roles.keepalived import HANDOVER, RUNS, STATE
from tests.verify.entrance import health

if TYPE_CHECKING:
    from roles._site import SiteSettings

ASK = "curl -s -o /dev/null -w '%{{http_code}}' -m 3 http://{}/"
FRESH = 8  # seconds since keepalived ran its check; it does once a second


@check
def test_keepalived_runs(node: Node) -> Checking:
    """keepalived runs the declared configuration, and asks this edge once a second"""
    active = yield node.sh("systemctl is-active keepalived")
    assert active.text == "active", f"systemd says that keepalived is {active.text or active}"
    ran = yield node.sh(f"echo $(($(date +%s) - $(stat -c %Y {RUNS}))); cat {RUNS}; readlink /etc/keepalived/site")
    assert len(ran.lines) == 3, f"{RUNS} gave {ran}"
    age, runs, declared = ran.lines
    assert int(age) <= FRESH, f"it last asked this edge {age} s ago: it hangs"
    assert runs == declared.removeprefix("releases/"), f"it runs {runs}, and {declared} is in place"


@check
def test_the_edge_answers(node: Node) -> Checking:
    """this edge answers keepalived, so it may hold the address"""
    asked = yield node.sh(ASK.format(ANSWER))
    assert asked.text == "200", f"http://{ANSWER}/ gave {asked}: the edge's program is stopped, or hangs"


@check
def test_ready(node: Node) -> Checking:
    """this edge holds the address or stands by to take it"""
    asked = yield node.sh(f"cat {STATE}; cat {HANDOVER}")
    assert len(asked.lines) == 2, f"{STATE} and {HANDOVER} gave {asked}"
    state, handed = asked.lines
    assert handed == "0", "it has given the address away for a roll that did not end well: deploy puts it back"
    assert state in ("MASTER", "BACKUP"), f"keepalived is in state {state}"


@check
def test_one_holder(node: Node, site: SiteSettings) -> Checking:
    """exactly one edge holds the address"""
    every = node.group("edge")
    answers = yield from gather(edge.sh(f"ip -o -4 addr show to {site.vip}/32") for edge in every)
    silent = [edge.name for edge, answer in zip(every, answers, strict=True) if not answer.ok]
    holders = [edge.name for edge, answer in zip(every, answers, strict=True) if answer.text]
    lost = f"; {', '.join(silent)} could not be asked" if silent else ""
    assert len(holders) < 2, f"{' and '.join(holders)} hold {site.vip}: they don't hear each other (IP protocol 112)"
    assert holders or silent, f"no edge has {site.vip}{lost}"


@check
def test_the_others_are_heard(node: Node) -> Checking:
    """the other edges are reached from here"""
    others = [edge for edge in node.group("edge") if edge.name != node.name]
    answers = yield from gather(node.sh(ASK.format(other.address)) for other in others)
    for other, answer in zip(others, answers, strict=True):
        assert answer.text.strip("0"), f"{other.name} is not reached from here: http://{other.address}/ gave {answer}"


@check
def test_the_address_is_the_entrance(node: Node, site: SiteSettings, outside: Place) -> Checking:
    """the dashboard is reached at the address, asked from outside"""
    reply = Reply.of((yield outside.sh(health(node, f"traefik.{site.domain}", "/dashboard/", site.vip))))
    assert reply.status == 200, f"traefik.{site.domain}/dashboard/ at {site.vip} gave {reply}"
