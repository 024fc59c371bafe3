"""The container images of the site's workloads, each a tar that `ctr images import` takes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.artifacts import oci
from lab.artifacts.binaries import COREDNS_VERSION, VERSION
from lab.artifacts.cache import Cache, Entry, Progress, sha256_of, silent
from lab.artifacts.rootfs import SCRIPTS
from lab.artifacts.runner import Runner
from lab.suites import BOOKWORM
from provision.remote.shell import quote

ECHO_SERVER = Path(__file__).parent / "payload" / "echo_server.py"
# A layer is made of extracted packages only: no package manager, no maintainer scripts, a fifth of the size of
# an installed system. What those scripts would have made, a layer's hook makes.
TRIMMED = (
    "usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/perl5",
    "usr/share/bash-completion", "usr/share/zsh", "usr/share/vim", "usr/share/initramfs-tools",
    "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/perl", "usr/lib/x86_64-linux-gnu/perl-base",
    "usr/lib/python3.11/lib2to3", "usr/lib/python3.11/pydoc_data", "usr/include",
)  # fmt: skip
FURNISHED = SCRIPTS.text("furnished")


@dataclass(frozen=True)
class Image:
    """One image. config: its name and what it runs. packages, hook: the Debian packages of its layer and the
    shell that finishes it, run in the layer's root; without packages the layer is one static program."""

    name: str
    config: oci.Config
    packages: tuple[str, ...] = ()
    hook: str = ""


NGINX = Image(
    "nginx",
    oci.Config("lab.local/nginx:1.22", command=("nginx", "-g", "daemon off;")),
    packages=("nginx-light", "curl", "busybox"),
    hook=FURNISHED + SCRIPTS.text("nginx_site"),
)
WEBSOCKET = Image(
    "websocket",
    oci.Config("lab.local/websocket:10.4", entrypoint=("/usr/bin/python3", "-u", "/echo_server.py")),
    packages=("python3-websockets", "busybox"),
    hook=FURNISHED + f"printf %s {quote(ECHO_SERVER.read_text())} >echo_server.py\n",
)
PAUSE = Image("pause", oci.Config("lab.local/pause:0.1.7", entrypoint=("/catatonit", "-P")))
TRAEFIK = Image("traefik", oci.Config("lab.local/traefik:3.7.15", entrypoint=("/traefik",)))
COREDNS = Image("coredns", oci.Config(f"lab.local/coredns:{COREDNS_VERSION}", entrypoint=("/coredns",)))
AGNHOST = Image("agnhost", oci.Config(f"lab.local/agnhost:{VERSION}", entrypoint=("/agnhost",), command=("pause",)))


def debian_image(cache: Cache, runner: Runner, image: Image, progress: Progress = silent) -> Entry:
    """The cached archive of an image whose layer is made of Debian packages."""

    def build(folder: Path, log: Path) -> list[str]:
        layer = folder / "layer.tar"
        extract(runner, image.packages, layer, log, hook=image.hook)
        oci.write_image(folder / f"{image.name}.tar", image.config, layer)
        layer.unlink()
        return [f"{image.name}.tar"]

    made_of = {
        "suite": BOOKWORM,
        "packages": " ".join(image.packages),
        "hook": image.hook,
        "put together by": sha256_of(Path(__file__)),
        **_envelope(image),
    }
    return cache.entry(f"image-{image.name}", made_of, build, progress)


def program_image(cache: Cache, image: Image, source: Entry, progress: Progress = silent) -> Entry:
    """The cached archive of an image of one static program: what its entrypoint names, out of `source`."""
    inside = image.config.entrypoint[0]
    program, sha256 = source.file(Path(inside).name)

    def build(folder: Path, log: Path) -> list[str]:
        layer = folder / "layer.tar"
        oci.write_layer(layer, {inside: program})
        oci.write_image(folder / f"{image.name}.tar", image.config, layer)
        layer.unlink()
        return [f"{image.name}.tar"]

    return cache.entry(f"image-{image.name}", {"program": sha256, **_envelope(image)}, build, progress)


def catatonit(cache: Cache, runner: Runner, progress: Progress = silent) -> Entry:
    """Debian's catatonit, a static init: it is what a pod's pause container runs."""

    def build(folder: Path, log: Path) -> list[str]:
        layer = folder / "extracted"
        extract(runner, ("catatonit",), layer, log)
        shutil.copy2(layer / "usr/bin/catatonit", folder / "catatonit")
        shutil.rmtree(layer)
        return ["catatonit"]

    return cache.entry("catatonit", {"suite": BOOKWORM, "package": "catatonit"}, build, progress)


def extract(runner: Runner, packages: tuple[str, ...], target: Path, log: Path, hook: str = "") -> None:
    """Put packages, extracted with what they depend on, into `target` (`….tar`: a tar, else a folder)."""
    options = ["--mode=root", "--variant=extract", f"--include={','.join(packages)}"]
    trimmed = [f"--dpkgopt=path-exclude=/{path}/*" for path in TRIMMED]
    # This variant runs no customize hooks: nothing is installed that they could customize.
    hooks = [f"--extract-hook={hook}"] if hook else []
    runner.run(
        f"putting together {', '.join(packages)}",
        ["mmdebstrap", *options, *trimmed, *hooks, BOOKWORM, str(target)],
        log,
        scratch=target.parent,
        env={"SOURCE_DATE_EPOCH": "0"},  # a fixed time makes the tar reproducible
    )


def _envelope(image: Image) -> Mapping[str, str]:
    """What else an archive is made of: its configuration and the code that writes it."""
    return {"config": repr(image.config), "written by": sha256_of(Path(oci.__file__))}
