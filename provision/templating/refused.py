"""The filters, tests and lookups of Ansible that are refused, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

_WRITE = "Write the value out"
_NETADDR = f"It is of the collection ansible.utils, which is not read. {_WRITE}."
_TASKS = "It asks about the result of a task, and there are no tasks here."

FILTERS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("cidr_merge", "hwaddr", "ip4_hex", "ipaddr", "ipmath", "ipsubnet", "ipv4", "ipv6", "ipwrap", "macaddr"),
            *("network_in_network", "network_in_usable", "next_nth_usable", "nthhost", "previous_nth_usable"),
            *("reduce_on_network", "slaac"),
        ),
        _NETADDR,
    ),
    "json_query": "It is of the collection community.general, which is not read. Use selectattr, map and dict2items.",
    "password_hash": f"It makes another hash in every run. {_WRITE}: `openssl passwd -6` makes one.",
    "unvault": "Encrypt the value itself, with ansible-vault encrypt_string, and write it as !vault.",
    "vault": "Encrypt the value itself, with ansible-vault encrypt_string, and write it as !vault.",
}

CHECKS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("change", "changed", "failed", "failure", "finished", "reachable", "skip", "skipped", "started"),
            *("succeeded", "success", "successful", "timedout", "unreachable"),
        ),
        _TASKS,
    ),
    "vault_encrypted": "Every value is opened when it is used.",
    "vaulted_file": "Every value is opened when it is used.",
}

_PROGRAM = f"It runs a program on this machine whenever the value is read. {_WRITE}, or give it by --extra-vars."
LOOKUPS: Mapping[str, str] = {
    "lines": _PROGRAM,
    "pipe": _PROGRAM,
    "password": f"It makes a password in the first run that asks. {_WRITE}, encrypted: ansible-vault encrypt_string.",
    "random_choice": "It gives another value in every run. Use the filter random with seed=inventory_hostname.",
    "url": f"It asks the network whenever the value is read. {_WRITE}.",
    "inventory_hostnames": "Use groups['NAME'].",
    "subelements": "Use the filter subelements.",
    "first_found": "Name the file that is meant.",
    **dict.fromkeys(
        ("config", "csvfile", "ini", "template"), f"{_WRITE}, or read a file as it is: lookup('file', NAME)."
    ),
}


def advice(name: str, refused: Mapping[str, str]) -> str:
    """What to do instead of what is called `name`, known or not."""
    collection, _, short = name.rpartition(".")
    if short in refused:
        return refused[short]
    if collection:
        return f"Collections are not read, and {collection} is one. {_WRITE}."
    return f"{_WRITE}: what Jinja2 and ansible-core have is known, and nothing else."
