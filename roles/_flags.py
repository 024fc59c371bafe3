"""Flags that a person adds to a program's own, and those that would contradict a setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from provision.errors import InputError

if TYPE_CHECKING:
    from provision.inventory import Host

# What to use instead, for programs that have these flags alike.
VERBOSITY = {"v": "the setting `verbosity`"}
LOGIN = {"kubeconfig": "site.pki, which its kubeconfig is made from"}
NETWORKS = {"cluster-cidr": "site.cluster_cidr", "service-cluster-ip-range": "site.service_cidr"}


def check_flags(host: Host, setting: tuple[str, str], names: Iterable[str], instead: Mapping[str, str]) -> None:
    """Raises InputError for a further flag, or field of a configuration, that the role sets by a setting of its own.

    names: of the flags, without dashes. instead: name -> the setting to use instead, or why the flag stays as it is.
    """
    for place, name in enumerate(names):
        if name in instead:
            path = ".".join(setting)
            raise InputError(
                f"{path} has {name}, which contradicts a setting",
                line=host.origin(*setting, name) or host.origin(*setting, place) or host.origin(*setting),
                found="It would win over the setting, and other parts of the site would not know of it",
                do=f"Use {instead[name]}",
            )


def names(arguments: Iterable[str]) -> tuple[str, ...]:
    """The names of flags as programs take them: ('v',) of ('--v=2',)."""
    return tuple(argument.removeprefix("--").partition("=")[0] for argument in arguments)
