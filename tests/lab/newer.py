"""Another version of Kubernetes, offered by a lab's ops host: a real one, or the one that there is with another number.

A site does not tell them apart but by what is new. Compiling a second Kubernetes takes many minutes, linking the
compiled one again takes one: the core of the suite does that, `make test-upgrade` compiles.
"""

from __future__ import annotations

import json
from dataclasses import replace

from lab.artifacts.binaries import COMMANDS, KUBERNETES, ldflags
from lab.artifacts.cache import Cache
from lab.artifacts.catalog import OPS_URL
from lab.artifacts.golang import Module, go_programs, toolchain
from lab.artifacts.runner import Runner
from tests.lab import served

PACKAGES = tuple(package for package in KUBERNETES.packages if package.rpartition("/")[2] in COMMANDS)


def compiled(version: str) -> Module:
    """The module of that version, in lab/go: kubernetes-1.35 for 1.35.4."""
    name = f"kubernetes-{version.rpartition('.')[0]}"
    return Module(name, name, PACKAGES, COMMANDS, ldflags(version))


def relinked(version: str) -> Module:
    """The lab's own Kubernetes, which says that it is of that version."""
    return replace(
        KUBERNETES, name="kubernetes-relinked", packages=PACKAGES, programs=COMMANDS, ldflags=ldflags(version), about=""
    )


def offer(name: str, version: str, module: Module) -> str:
    """Serves the programs of a module. Returns what --extra-vars takes to deploy them."""
    cache, runner = Cache(), Runner()
    built = go_programs(cache, runner, toolchain(cache, runner), module)
    found = {command: built.file(command) for command in COMMANDS}
    folder = served.folder(name, f"v{version}", *(path for path, _ in found.values()))
    binaries = {
        command: {"url": f"{OPS_URL}/{folder}/{command}", "sha256": sha256} for command, (_, sha256) in found.items()
    }
    return json.dumps({"site": {"kubernetes": version}, "binaries": binaries})
