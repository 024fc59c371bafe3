"""The kinds of the Gateway API, as one file of CustomResourceDefinitions: what its project publishes with a release."""

from __future__ import annotations

import json
from pathlib import Path

from lab.artifacts.cache import Cache, Entry, Progress, sha256_of, silent
from lab.artifacts.golang import ENVIRONMENT, MODULES, Toolchain
from lab.artifacts.runner import output

NAME, FILE = "gateway-api", "gateway-api.yaml"
MODULE = "sigs.k8s.io/gateway-api"
STANDARD = "config/crd/standard"  # the release's standard-install.yaml is made of the files in it


def gateway_api(cache: Cache, go: Toolchain, progress: Progress = silent) -> Entry:
    """The cached file, made of the Go module that lab/go/gateway-api pins.

    Raises FailedError when the module can't be fetched, or is not what go.sum says.
    """
    pinned = MODULES / NAME

    def build(folder: Path, log: Path) -> list[str]:
        command = [str(go.command), "-C", str(pinned), "mod", "download", "-json", MODULE]
        said = output(f"fetching {MODULE}", command, env=ENVIRONMENT)
        parts = sorted((Path(json.loads(said)["Dir"]) / STANDARD).glob("*.yaml"))
        (folder / FILE).write_text("---\n".join(part.read_text() for part in parts))
        return [FILE]

    return cache.entry(NAME, {file: sha256_of(pinned / file) for file in ("go.mod", "go.sum")}, build, progress)
