"""A second version of Traefik, offered by the lab's ops host beside everything else that it serves."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from lab.artifacts import images, oci
from lab.artifacts.cache import Cache
from lab.artifacts.catalog import OPS_URL
from lab.artifacts.runner import Runner
from lab.artifacts.wheels import wheel
from tests.lab import served

PINS = Path(__file__).parent / "pins"
OLDER = images.Image("traefik-older", oci.Config("lab.local/traefik:3.7.13", entrypoint=("/traefik",)))


def offer(name: str) -> str:
    """Serves the image. Returns what --extra-vars takes to deploy it."""
    cache = Cache()
    program = wheel(cache, Runner(), OLDER.name, pins=PINS)
    path, sha256 = images.program_image(cache, OLDER, program).file(f"{OLDER.name}.tar")
    lab = served.beside(name, path)
    served_so_far = yaml.safe_load(lab.inventory.read_text())["all"]["vars"]["images"]
    image = {"name": OLDER.config.name, "url": f"{OPS_URL}/{path.name}", "sha256": sha256}
    return json.dumps({"images": {**served_so_far, "traefik": image}})
