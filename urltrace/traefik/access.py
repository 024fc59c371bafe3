"""What Traefik has to read from the API, and what its account may not.

One resource less, and every route is a 404 while /ping answers 200 (tried with each; domain notes, §4).
"""

from __future__ import annotations

from collections.abc import Iterable

from urltrace.kubernetes.objects import ClusterRole, ClusterRoleBinding, PolicyRule
from urltrace.traefik.provider import Provider

READ = (
    ("", "services"),
    ("", "secrets"),
    ("discovery.k8s.io", "endpointslices"),
    ("networking.k8s.io", "ingresses"),
)
READ_OF_CLUSTER = (("", "nodes"), ("networking.k8s.io", "ingressclasses"))
VERBS = ("list", "watch")


def missing_access(
    account: str, roles: Iterable[ClusterRole], bindings: Iterable[ClusterRoleBinding], provider: Provider
) -> tuple[str, ...]:
    """What a Traefik with this account ('namespace/name') may not read, as in 'watch endpointslices'."""
    rules = tuple(_granted(account, roles, bindings))
    needed = (*READ, *(READ_OF_CLUSTER if provider.cluster_scope else ()))
    return tuple(
        f"{verb} {resource}{f'.{group}' if group else ''}"
        for group, resource in needed
        for verb in VERBS
        if not any(_allows(rule, group, resource, verb) for rule in rules)
    )


def _granted(
    account: str, roles: Iterable[ClusterRole], bindings: Iterable[ClusterRoleBinding]
) -> Iterable[PolicyRule]:
    named = {role.metadata.name: role for role in roles}
    namespace, _, _ = account.partition("/")
    groups = ("system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    for binding in bindings:
        subjects = binding.subjects or ()
        held = any(
            (one.kind == "ServiceAccount" and f"{one.namespace}/{one.name}" == account)
            or (one.kind == "Group" and one.name in groups)
            or (one.kind == "User" and one.name == f"system:serviceaccount:{account.replace('/', ':')}")
            for one in subjects
        )
        if held and binding.role_ref.name in named:
            yield from named[binding.role_ref.name].rules or ()


def _allows(rule: PolicyRule, group: str, resource: str, verb: str) -> bool:
    def holds(granted: tuple[str, ...], wanted: str) -> bool:
        return wanted in granted or "*" in granted

    granted = holds(rule.api_groups, group) and holds(rule.resources, resource) and holds(rule.verbs, verb)
    return granted and not rule.resource_names
