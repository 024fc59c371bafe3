"""`ingress.check`: what is said of an Ingress; that it is so, tests/lab/test_ingress.py asks a site."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from hdss7.ingress.documents import check_rendered, parse, read
from hdss7.ingress.honoured import KNOWN, PREFIX, table, version_of
from hdss7.ingress.verdicts import INSTEAD, INTEGERS, JUDGES, Served, Verdict, judge
from provision.errors import InputError
from tests.unit.hdss7.test_bad_usage import invoke

TABLE = table(KNOWN)
SITE = Served({"traefik": False, "nginx": True}, headers=frozenset(("X-Frame-Options",)))
WITH_TLS = Served({"traefik": False, "nginx": True}, tls=True)


def judged(
    annotations: Mapping[str, str], site: Served = SITE, *, path: str = "/", kind: str = "Prefix", **spec: object
) -> list[Verdict]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    item = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "annotations": {PREFIX + name: value for name, value in annotations.items()}},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": "a.od.com", "http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}}],
            **spec,
        },
    }
    (document,) = parse(yaml.safe_dump(item), "a.yaml")
    return list(judge(document, TABLE, site))


@pytest.mark.parametrize(
    ("given", "states"),
    [
        ({"rewrite-target": "/$1"}, ["honoured"]),
        ({"proxy-body-size": "8m"}, ["ignored"]),
        ({"proxy-body-size": "8m", "proxy-request-buffering": "on"}, ["honoured", "honoured"]),
        ({"proxy-read-timeout": "60"}, ["honoured"]),
        ({"proxy-read-timeout": "60s"}, ["ignored"]),
        ({"affinity": "cookie"}, ["honoured"]),
        ({"affinity": "persistent"}, ["ignored"]),
        ({"configuration-snippet": "a;"}, ["refused"]),
        ({"auth-type": "magic"}, ["refused"]),
        ({"backend-protocol": "FCGI"}, ["ignored"]),
        ({"backend-protocol": "GRPC"}, ["honoured"]),
        ({"enable-modsecurity": "true"}, ["ignored"]),
        ({"custom-http-errors": "404"}, ["ignored"]),
        ({"custom-http-errors": "404", "default-backend": "other"}, ["honoured", "honoured"]),
        ({"denylist-source-range": "10.0.0.0/8"}, ["ignored"]),
        ({"rewrite-targte": "/"}, ["ignored"]),
    ],
)
def test_an_annotation_is_judged_by_its_value_and_its_neighbours(given: dict[str, str], states: list[str]) -> None:
    assert [
        each.state for each in sorted(judged(given), key=lambda each: list(given).index(each.name.rpartition("/")[2]))
    ] == states


def test_what_is_ignored_comes_with_what_to_write_instead() -> None:
    for name in TABLE.every | TABLE.read:
        for each in judged({name: "x"}):
            assert each.state == "honoured" or each.text, name


def test_every_remark_is_about_an_annotation_that_exists() -> None:
    assert set(JUDGES) <= TABLE.read
    assert TABLE.read >= INTEGERS
    assert set(INSTEAD) <= TABLE.every - TABLE.read
    assert TABLE.read <= TABLE.every


def test_a_misspelt_annotation_is_told_from_one_that_is_ignored() -> None:
    (verdict,) = judged({"rewrite-targte": "/"})
    assert verdict.text == "ingress-nginx has no such annotation. Did you mean 'rewrite-target'?"
    assert verdict.line == "a.yaml:5"


def test_the_limits_of_the_edge_are_told() -> None:
    assert "one count for all clients" in judged({"limit-rps": "5"})[0].text
    assert "the edge saw" in judged({"whitelist-source-range": "10.0.0.0/8"})[0].text
    assert "X-Frame-Options" in judged({"custom-headers": "default/a"})[0].text


def test_tls_is_told_as_the_edge_has_it() -> None:
    tls = [{"hosts": ["a.od.com"], "secretName": "a"}]
    assert [each.state for each in judged({}, tls=tls)] == ["refused"]
    assert [each.state for each in judged({"ssl-redirect": "false"}, tls=tls)] == ["honoured", "ignored"]
    assert [each.state for each in judged({}, WITH_TLS, tls=tls)] == ["ignored"]
    assert "edge.tls" in judged({"force-ssl-redirect": "true"})[0].text
    assert judged({"force-ssl-redirect": "true"}, WITH_TLS)[0].text == ""


@pytest.mark.parametrize(
    ("site", "name", "state", "said"),
    [
        (
            Served({"traefik": False}),
            "nginx",
            "refused",
            "nobody serves class 'nginx': set traefik.ingress_nginx: true",
        ),
        (SITE, "other", "refused", "set ingressClassName to one of: nginx, traefik"),
        (SITE, "traefik", "ignored", "it is of class traefik, and Traefik reads these annotations of class nginx"),
        (SITE, None, "ignored", "it is of class traefik"),
        (Served({"traefik": False}), None, "ignored", "and traefik.ingress_nginx: true"),
    ],
)
def test_the_class_decides_who_serves(site: Served, name: str | None, state: str, said: str) -> None:
    first = judged({"app-root": "/"}, site, ingressClassName=name)[0]
    assert (first.name, first.state, said in first.text) == ("class", state, True), first


def test_a_regular_expression_wants_the_right_type_of_path() -> None:
    assert [each.state for each in judged({}, path="/a(/|$)(.*)")] == ["refused"]
    assert judged({}, path="/a(/|$)(.*)", kind="ImplementationSpecific") == []


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/library/traefik:v3.7.15", "3.7.15"),
        ("harbor:5000/traefik:3.7.15-alpine", "3.7.15"),
        ("traefik", ""),
        ("traefik:latest", ""),
    ],
)
def test_the_version_is_that_of_the_image(image: str, version: str) -> None:
    assert version_of(image) == version
    assert table(version).version == KNOWN


FILE = f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    {PREFIX}limit-rps: "5"
    {PREFIX}satisfy: any
spec:
  ingressClassName: nginx
  defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}
"""


@pytest.mark.parametrize(
    ("on", "states"), [(True, ["honoured", "ignored"]), (False, ["refused", "honoured", "ignored"])]
)
def test_the_command_judges_a_file_for_this_site(tmp_path: Path, on: bool, states: list[str]) -> None:
    (tmp_path / "a.yaml").write_text(FILE)
    words = ("--inventory", "inventory/hdss7", "--extra-vars", f"traefik.ingress_nginx={str(on).lower()}", "--json")
    done = invoke(tmp_path, "ingress.check", "--file", str(tmp_path / "a.yaml"), *words)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["traefik"]) == (1, KNOWN)
    assert [each["state"] for each in answer["ingresses"][0]["verdicts"]] == states
    assert f"{tmp_path / 'a.yaml'}:7: Ingress web: {PREFIX}satisfy ignored: " in done.stderr
    assert done.stderr.splitlines()[-1].startswith("ingress.check: 1 Ingress: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--file", "nowhere.yaml"), "--file nowhere.yaml can't be read"),
        (("--file", "README.md"), "README.md"),
        (("--file", "templates/traefik/ingress-nginx.yaml.j2"), "there is no Ingress in what --file names"),
        (("--limit", "hdss7-11"), "no host within the limit can ask the API"),
    ],
)
def test_the_command_refuses_in_one_paragraph(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = invoke(tmp_path, "ingress.check", "--inventory", "inventory/hdss7", *words)
    assert (done.returncode, done.stdout) == (4, ""), done
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f'\n    {PREFIX}limit-rps: "5"\n    {PREFIX}satisfy: any', " [a, b]", "would not take metadata.annotations"),
        (f'{PREFIX}limit-rps: "5"', f"{PREFIX}limit-rps: 5", f"would not take metadata.annotations.{PREFIX}limit-rps"),
        ("ingressClassName: nginx", "rules: {host: a.od.com}", "would not take spec.rules"),
        ("ingressClassName", "ingresClassName", "ingresClassName is probably meant to be ingressClassName"),
    ],
)
def test_an_ingress_that_the_api_refuses_is_not_judged(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in FILE
    (tmp_path / "a.yaml").write_text(FILE.replace(old, new))
    done = invoke(tmp_path, "ingress.check", "--file", str(tmp_path / "a.yaml"), "--inventory", "inventory/hdss7")
    assert (done.returncode, done.stdout) == (4, ""), done
    assert said in done.stderr


ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: site, namespace: kube-system}]
  rules:
  - backendRefs:
    - name: shop
      port: 80
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("", "", 0, "note: 1 route of the Gateway API: the fields are those of 1.6.3"),
        ("backendRefs", "backendRef", 4, "a.yaml:7: HTTPRoute shop: the API would not take spec.rules.0.backendRef"),
        (
            "      port: 80\n",
            "",
            4,
            "a.yaml:8: HTTPRoute shop: the API would not take spec.rules.0.backendRefs.0. port",
        ),
        ("  parentRefs: [{name: site, namespace: kube-system}]\n", "", 4, "HTTPRoute shop belongs to no Gateway"),
    ],
)
def test_a_route_is_judged_by_the_fields_of_its_kind(tmp_path: Path, old: str, new: str, code: int, said: str) -> None:
    (tmp_path / "a.yaml").write_text(ROUTE.replace(old, new) if old else ROUTE)
    done = invoke(tmp_path, "ingress.check", "--file", str(tmp_path / "a.yaml"), "--inventory", "inventory/hdss7")
    assert done.returncode == code, done
    assert said in done.stderr


@pytest.mark.parametrize(
    ("host", "line"), [('"{{ app.host }}"', "a.yaml:6: HTTPRoute shop is a template"), ("{{ app.host }}", "a.yaml:")]
)
def test_a_template_is_called_one(tmp_path: Path, host: str, line: str) -> None:
    text = f"hostnames: [{host}]"
    route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}\nspec:\n"
    (tmp_path / "a.yaml").write_text(f"{route}  parentRefs: [{{name: site}}]\n  {text}\n")
    with pytest.raises(InputError, match="is a template") as raised:
        list(map(check_rendered, read([str(tmp_path / "a.yaml")])))
    assert line in str(raised.value)
    assert "lint" in str(raised.value)


def test_a_value_without_a_template_passes(tmp_path: Path) -> None:
    (document,) = parse(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {a: [{b: '{ x }'}], 1: c}\n", "a.yaml"
    )
    check_rendered(document)


@pytest.mark.parametrize("version", ["extensions/v1beta1", "networking.k8s.io/v1beta1"])
def test_an_ingress_of_an_api_that_is_gone_is_refused(version: str) -> None:
    (document,) = parse(f"kind: Ingress\napiVersion: {version}\nmetadata: {{name: a}}\nspec: {{}}\n", "a.yaml")
    found = [each for each in judge(document, TABLE, SITE) if each.name == "apiVersion"]
    assert [(each.line, each.state) for each in found] == [("a.yaml:2", "refused")]
    assert "ingress.migrate" in found[0].text
