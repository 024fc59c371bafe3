"""Another version of Kubernetes, offered by a lab's ops host: the one that there is, linked with another number.

What an upgrade does to a site does not depend on what is new in it; compiling a second Kubernetes takes many minutes,
linking the compiled one again takes one. `make test-upgrade` builds the real one too.
"""

from __future__ import annotations

import json
from dataclasses import replace

from lab.artifacts.binaries import COMMANDS, KUBERNETES, ldflags
from lab.artifacts.cache import Cache
from lab.artifacts.catalog import OPS_URL
from lab.artifacts.golang import go_programs, toolchain
from lab.artifacts.runner import Runner
from tests.lab import served


def offer(name: str, version: str) -> str:
    """Serves the programs. Returns what --extra-vars takes to deploy them."""
    cache, runner = Cache(), Runner()
    packages = tuple(package for package in KUBERNETES.packages if package.rpartition("/")[2] in COMMANDS)
    module = replace(
        KUBERNETES, name="kubernetes-relinked", packages=packages, programs=COMMANDS, ldflags=ldflags(version), about=""
    )
    built = go_programs(cache, runner, toolchain(cache, runner), module)
    found = {command: built.file(command) for command in COMMANDS}
    folder = served.folder(name, f"v{version}", *(path for path, _ in found.values()))
    binaries = {
        command: {"url": f"{OPS_URL}/{folder}/{command}", "sha256": sha256} for command, (_, sha256) in found.items()
    }
    return json.dumps({"site": {"kubernetes": version}, "binaries": binaries})
