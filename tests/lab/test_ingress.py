"""Ingresses written for ingress-nginx, asked through the edge: what `ingress.check` calls honoured is what clients see.
Beside them routes of the Gateway API.

Tests run in the order written: Traefik takes both over while clients ask, is asked, and gives them back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from hdss7.ingress.honoured import PREFIX
from tests.lab.clients import clients, unharmed
from tests.lab.ingresses import CLIENT, EDGE, OTHER, PASSWORD, SITES, apply, asked
from tests.lab.test_roll import left_out, taken_out
from tests.lab.typed import KUBECTL, NAME, invoke, on

pytestmark = pytest.mark.usefixtures("site")

SETTINGS = {"ingress_nginx": True, "ingress_nginx_headers": ["X-Extra"], "gateway": True}
ON = ("--extra-vars", json.dumps({"traefik": SETTINGS}))


@pytest.fixture(scope="module")
def sites() -> Iterator[None]:
    """The Ingresses, as they are there before somebody serves them."""
    apply("apply")
    for name in ("old", "new"):
        on("hdss7-21", f"{KUBECTL} rollout status --timeout=60s deployment/t-{name}")
    yield
    apply("delete", "--wait=false")


@pytest.fixture
def _served(sites: None) -> None:
    """For tests that only need the Ingresses to be there."""


used = pytest.mark.usefixtures("_served")


@used
def test_traefik_takes_the_class_over_without_a_failed_request() -> None:
    assert asked("last").status == 404
    with clients(NAME) as prober:
        deployed = invoke("deploy", "--json", *ON)
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert taken_out(deployed) == ["hdss7-21", "hdss7-22"]
    assert unharmed(receipt), receipt
    assert left_out() == ""
    assert {asked("last").status for _ in range(6)} == {200}  # by each node's Traefik in turn
    assert invoke("plan", *ON).code == 0
    verified = invoke("verify", "-k", "traefik or nginx_ds", *ON)
    assert verified.code == 0, str(verified)


def test_routes_of_the_gateway_api_lead_to_pods_on_every_node() -> None:
    assert {asked("gateway").body.rsplit("-", 2)[0] for _ in range(6)} == {"demo"}  # by each node's Traefik in turn
    assert asked("gateway", "/shell?cmd=id").status == 404
    shown = on("hdss7-21", f"{KUBECTL} -n kube-system get gateway site -o jsonpath='{{.status.addresses[*].value}}'")
    assert shown == "10.4.7.11"


@used
def test_paths_are_matched_and_rewritten() -> None:
    assert asked("plain").body.startswith("t-old-")
    assert asked("rewrite", "/app/hostname").body.startswith("t-old-")
    assert asked("rewrite", "/appx").status == 404
    assert asked("regex", "/v12/x").status == 200
    assert asked("regex", "/vx/x").status == 404
    assert asked("prefix", "/outer?key=X-Forwarded-Prefix").body == "/outer"
    assert (asked("root", "/").status, asked("root", "/").headers["location"]) == (302, "http://root.od.com/hostname")


@used
def test_redirects_lead_where_the_annotations_say() -> None:
    for name in ("tls", "force"):
        answer = asked(name, "/a?b=1")
        assert (answer.status, answer.headers["location"]) == (308, f"https://{name}.od.com/a?b=1")
    assert asked("tls-no").status == 200
    answer = asked("moved")
    assert (answer.status, answer.headers["location"]) == (308, "https://new.od.com/x")


@used
def test_bodies_and_silence_are_limited() -> None:
    def sent(name: str, size: str) -> int:
        data = f"/tmp/t-body-{size}"
        on(CLIENT, f"head -c {size} /dev/zero >{data}")
        return asked(name, "/echo?msg=a", "--data-binary", f"@{data}").status

    assert sent("body", "40000") == 200  # more than is kept in memory: it needs the pod's /tmp
    assert sent("body", "200000") == 413
    assert sent("body-only", "200000") == 200  # as the check says: ignored
    answer = asked("slow")
    assert (answer.status, answer.seconds < 10) == (504, True), answer


@used
def test_a_cookie_keeps_a_client_at_one_pod() -> None:
    first = asked("affinity")
    cookie = re.match(r"(stick=[^;]+);", first.headers["set-cookie"])
    assert cookie
    assert {asked("affinity", "/hostname", "-b", cookie[1]).body for _ in range(8)} == {first.body}
    assert len({asked("affinity").body for _ in range(20)}) == 2


@used
def test_who_may_not_is_kept_out() -> None:
    assert asked("basic").status == 401
    assert 'realm="shop"' in asked("basic").headers["www-authenticate"]
    assert asked("basic", "/hostname", "-u", f"anna:{PASSWORD}").status == 200
    assert asked("basic", "/hostname", "-u", "anna:wrong").status == 401
    assert asked("denied").status == 401
    assert asked("allowed").body.startswith("t-old-")
    assert asked("white").status == 200
    assert asked("white", host=OTHER).status == 403
    forged = ("-H", "X-Forwarded-For: 10.4.7.22")
    assert asked("white", "/hostname", *forged, host=OTHER).status == 403
    assert asked("deny").status == 200  # as the check says: ignored


@used
def test_browsers_are_told_what_other_origins_may() -> None:
    origin = ("-H", "Origin: https://a.od.com")
    asks = ("-X", "OPTIONS", *origin, "-H", "Access-Control-Request-Method: GET")
    preflight = asked("cors", "/hostname", *asks).headers
    names = ("origin", "methods", "headers")
    assert [preflight[f"access-control-allow-{name}"] for name in names] == ["https://a.od.com", "GET", "X-One"]
    assert preflight["access-control-max-age"] == "7"
    answer = asked("cors", "/hostname", *origin).headers
    assert answer["access-control-expose-headers"] == "X-Two"
    assert "access-control-allow-credentials" not in answer
    other = asked("cors", "/hostname", "-H", "Origin: https://b.od.com").headers
    assert "access-control-allow-origin" not in other


@used
def test_the_application_is_asked_as_the_annotations_say() -> None:
    assert asked("https", "/version").status in (200, 401, 403)  # in clear the API server says 400
    assert asked("vhost").body.startswith("demo-")  # the edge is asked again, for another name
    assert asked("alias-two").body.startswith("t-old-")
    assert asked("headers").headers["x-extra"] == "yes"
    assert asked("headers-not").status == 503
    assert asked("snippet").status == 404


@used
def test_another_service_answers_for_one_that_can_not() -> None:
    assert asked("fallback").body.startswith("t-new-")
    assert "NOW" in asked("errors", "/echo?msg=teapot&code=418").body
    assert asked("errors", "/echo?msg=fine").body == "fine"


@used
def test_a_canary_gets_its_share_and_who_asks_for_it() -> None:
    weighed = {asked("weight").body.rsplit("-", 2)[0] for _ in range(20)}
    assert weighed == {"t-old", "t-new"}
    always = {asked("header", "/hostname", "-H", "X-Canary: always").body.rsplit("-", 2)[0] for _ in range(6)}
    assert always == {"t-new"}
    assert {asked("header").body.rsplit("-", 2)[0] for _ in range(6)} == {"t-old"}


@used
def test_a_limit_is_one_count_for_all_clients() -> None:
    url = f"curl -s -o /dev/null -w '%{{http_code}}\\n' -H 'Host: limit.od.com' {EDGE}/"
    many = on(CLIENT, "; ".join([url] * 16)).split()
    assert set(many) == {"200", "429"}
    assert "429" in on(OTHER, "; ".join([url] * 4)).split()  # who has not asked before


@used
def test_no_ingress_is_served_by_both_providers() -> None:
    path = "/api/http/routers?per_page=1000"
    routers = json.loads(on("hdss7-21", f"curl -s -H 'Host: traefik.od.com' http://10.4.7.21:81{path}"))
    by: dict[str, set[str]] = {}
    for each in routers:
        by.setdefault(each["rule"], set()).add(each["provider"])
        if each["provider"] == "kubernetesingressnginx":
            assert each["entryPoints"] == ["web"], each
    assert not [rule for rule, providers in by.items() if len(providers) > 1]
    assert any(providers == {"kubernetes"} and "demo.od.com" in rule for rule, providers in by.items())


@used
def test_the_check_of_the_cluster_says_what_clients_see() -> None:
    checked = invoke("ingress.check", "--json", *ON)
    assert checked.code == 1, str(checked)
    found = {each["name"]: each for each in checked.document["ingresses"]}
    for site in SITES:
        states: dict[str, set[str]] = {"honoured": set(), "ignored": set(), "refused": set()}
        for verdict in found[site.name]["verdicts"]:
            states[verdict["state"]].add(verdict["name"].removeprefix(PREFIX))
        assert (states["ignored"], states["refused"]) == (set(site.ignored), set(site.refused)), site.name
        assert states["honoured"] == set(site.annotations) - states["ignored"] - states["refused"], site.name
    assert found["traefik-web-ui"]["state"] == "honoured"


@used
def test_traefik_gives_the_class_back_without_a_failed_request() -> None:
    with clients(NAME) as prober:
        deployed = invoke("deploy", "--prune")
        receipt = prober.receipt()
    assert deployed.code == 0, str(deployed)
    assert unharmed(receipt), receipt
    classes = on("hdss7-21", f"{KUBECTL} get ingressclasses -o name").split()
    assert classes == ["ingressclass.networking.k8s.io/traefik"]
    assert invoke("plan").code == 0
