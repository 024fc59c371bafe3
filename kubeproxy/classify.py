"""Whether what a kernel holds is what the API knows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kubeproxy.cluster import Cluster, Port
from kubeproxy.rules import NODE, Address, ClassifiedRule, Rule
from provision.resources.kubernetes.proxy_rules import Mode


def classify(
    rules: Iterable[Rule], cluster: Cluster, mode: Mode | None, own: Collection[str] = ()
) -> tuple[ClassifiedRule, ...]:
    """Each rule with its state. mode: that the node's kube-proxy runs in; None when none runs and none is known.

    own: the node's addresses; in mode ipvs a node port is a virtual server on each of them.
    """
    return tuple(_classified(rule, cluster, mode, own) for rule in rules)


def _classified(rule: Rule, cluster: Cluster, mode: Mode | None, own: Collection[str]) -> ClassifiedRule:
    if rule.foreign:
        return ClassifiedRule(rule, "foreign", "not written by kube-proxy")
    if mode and rule.mode != mode:
        return ClassifiedRule(rule, "stale", f"left by mode {rule.mode}; {mode} is in use", rule.service)
    if rule.frontend is None:
        return ClassifiedRule(rule, "stale", "nothing leads to it", rule.service)
    port = _port(rule.frontend, cluster, own)
    why = _why_stale(rule, port, cluster)
    service = rule.service or (port.service if port else "")
    if rule.weight == 0:
        return ClassifiedRule(rule, "draining", f"weight 0: {why}" if why else "weight 0", service)
    return ClassifiedRule(rule, "stale" if why else "known", why, service)


def _port(frontend: Address, cluster: Cluster, own: Collection[str]) -> Port | None:
    found = cluster.by_address.get(frontend)
    if found is None and frontend.ip in own:
        found = cluster.by_address.get(Address(NODE, frontend.protocol, frontend.port))
    return found


def _why_stale(rule: Rule, port: Port | None, cluster: Cluster) -> str:
    """Why the API does not know the rule; '' when it does."""
    if port and (rule.backend is None or rule.backend in port.endpoints):
        return ""
    if port and rule.backend:
        return f"{rule.backend.bare} is no endpoint of {port.service}"
    name = rule.service.partition(":")[0]
    if not name:
        return "no Service is asked for there"
    return f"Service {name} is gone" if name not in cluster.services else f"{rule.service} is not asked for there"
