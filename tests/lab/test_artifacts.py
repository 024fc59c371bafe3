"""What hdss7-200 serves is enough for a bare host: everything installs, every image is taken, every program runs.

The host here is the real disk in a chroot, with namespaces of its own (mounts, network, processes) and the served
folder as its only source; nothing of it is left afterwards, because it is all in the namespaces.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.artifacts.apt_repository import PACKAGES
from lab.artifacts.catalog import Catalog, Preparation
from lab.suites import BOOKWORM

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a host's disk needs root")

SET_UP = """
set -e
disk=$1 served=$2 here=$3
mount -t tmpfs tmpfs "$here"
mkdir "$here/upper" "$here/work" "$here/root"
mount -t overlay overlay -o "lowerdir=$disk,upperdir=$here/upper,workdir=$here/work" "$here/root"
cd "$here/root"
mount -t proc proc proc
mount --bind /dev dev
mount -t tmpfs tmpfs run
mkdir -p srv/www var/lib/containerd
mount --bind "$served" srv/www
mount -t tmpfs tmpfs var/lib/containerd
ip link set lo up
printf '#!/bin/sh\\nexit 101\\n' > usr/sbin/policy-rc.d
chmod +x usr/sbin/policy-rc.d
echo 'deb [trusted=yes] file:/srv/www/apt ./' > etc/apt/sources.list
echo ready
exec sleep infinity
"""
# One container's file system, with what a runtime would mount.
MOUNTED = """
mkdir -p /mnt/{name}
ctr images mount --rw {image} /mnt/{name} > /dev/null
mount -t proc proc /mnt/{name}/proc
mount --bind /dev /mnt/{name}/dev
mount -t tmpfs tmpfs /mnt/{name}/run
"""


@dataclass(frozen=True)
class Host:
    """A bare host without its systemd: commands run in its chroot and namespaces."""

    pid: int
    root: Path

    def command(self, script: str) -> list[str]:
        inside = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid"]
        return [*inside, "chroot", str(self.root), "sh", "-ec", script]

    def run(self, script: str) -> str:
        done = subprocess.run(self.command(script), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, script: str) -> None:
        """Start a program that stays; it ends with the host's namespaces."""
        subprocess.Popen(
            self.command(f"exec {script}"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def run_until(self, script: str, seconds: float = 20) -> str:
        """What `script` prints once it succeeds."""
        deadline = time.monotonic() + seconds
        while subprocess.run(self.command(script), capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, f"never succeeded: {script}"
            time.sleep(0.05)
        return self.run(script)


@dataclass(frozen=True)
class Prepared:
    disk: Path
    catalog: Catalog


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    with Preparation() as preparation:
        return Prepared(preparation.trees[BOOKWORM].result(), preparation.catalog.result())


@pytest.fixture(scope="module")
def host(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    here = tmp_path_factory.mktemp("host")
    spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    arguments = [str(prepared.disk), str(prepared.catalog.directory), str(here)]
    outer = subprocess.Popen([*spaces, "sh", "-c", SET_UP, "sh", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert outer.stdout
        assert outer.stdout.readline() == "ready\n"
        (inner,) = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        yield Host(int(inner), here / "root")
    finally:
        for child in Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split():
            os.kill(int(child), 9)
        outer.wait()


@pytest.fixture(scope="module")
def installed(host: Host) -> Host:
    """The host once every package of the repository is on it."""
    host.run("apt-get -qq update")
    install = "DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends"
    host.run(f"{install} {' '.join(PACKAGES)} > /dev/null")
    return host


@pytest.fixture(scope="module")
def with_images(installed: Host, prepared: Prepared) -> Host:
    """The host with containerd running and every image imported and mounted at /mnt/NAME."""
    installed.start("containerd")
    installed.run_until("ctr version")
    for name, image in prepared.catalog.variables["images"].items():
        installed.run(f"ctr images import /srv/www/images/{name}.tar")
        installed.run(MOUNTED.format(name=name, image=image["name"]))
    return installed


def test_a_bare_host_has_what_a_login_needs_and_no_roles_work(prepared: Prepared) -> None:
    disk = prepared.disk
    for present in ("usr/sbin/sshd", "usr/bin/sudo", "usr/bin/apt-get", "usr/bin/curl", "lib/systemd/systemd"):
        assert (disk / present).exists(), present
    for absent in ("usr/bin/python3", "usr/sbin/nginx", "usr/bin/containerd", "usr/bin/supervisord"):
        assert not (disk / absent).exists(), absent


def test_the_shared_disk_names_no_host_and_no_package_source(prepared: Prepared) -> None:
    etc = prepared.disk / "etc"
    assert not list((etc / "ssh").glob("ssh_host_*"))
    assert (etc / "machine-id").read_text() == ""
    assert (etc / "apt" / "sources.list").read_text() == ""
    assert not (etc / "resolv.conf").exists()


def test_every_roles_packages_install_from_the_labs_repository(installed: Host) -> None:
    assert installed.run("dpkg --audit") == ""
    for program in ("nginx", "supervisord", "named", "etcd", "containerd", "runc", "nft", "ipvsadm", "dig"):
        assert installed.run(f"command -v {program}").strip(), program
    assert "1.6." in installed.run("containerd --version")


def test_containerd_takes_every_image_under_its_name(with_images: Host, prepared: Prepared) -> None:
    names = {image["name"] for image in prepared.catalog.variables["images"].values()}
    assert set(with_images.run("ctr images ls --quiet").split()) == names


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("chroot /mnt/coredns /coredns -version", "CoreDNS-1.12.4"),
        ("chroot /mnt/traefik /traefik version", "3.7.15"),
        ("chroot /mnt/agnhost /agnhost --help", "netexec"),
        ("chroot /mnt/nginx sh -c 'nginx -t 2>&1; curl --version; id www-data'", "syntax is ok"),
        ("/srv/www/bin/kubelet --version", "Kubernetes v1.34.4"),
        ("/srv/www/bin/kubectl version --client", "Client Version: v1.34.4"),
    ],
)
def test_each_program_runs_in_the_image_that_is_made_of_it(with_images: Host, command: str, says: str) -> None:
    assert says in with_images.run(command)


def test_nginx_answers_with_its_page_and_logs_where_kubectl_reads(with_images: Host) -> None:
    with_images.run("chroot /mnt/nginx nginx -g 'daemon on;' > /tmp/nginx.out 2>&1")
    assert "Welcome to nginx!" in with_images.run_until("curl -sf http://127.0.0.1/")
    assert '"GET / HTTP/1.1" 200' in with_images.run("cat /tmp/nginx.out")


def test_the_websocket_image_says_back_what_it_hears(with_images: Host) -> None:
    with_images.start("chroot /mnt/websocket /usr/bin/python3 -u /echo_server.py")
    client = (
        "import asyncio, websockets\n"
        "async def ask():\n"
        "    async with websockets.connect('ws://127.0.0.1:8765/any') as connection:\n"
        "        await connection.send('hello'); print(await connection.recv())\n"
        "asyncio.run(ask())\n"
    )
    assert with_images.run_until(f'chroot /mnt/websocket python3 -c "{client}"') == "hello\n"


def test_the_pause_image_waits_until_it_is_told_to_end(with_images: Host) -> None:
    until_told = "timeout --signal=TERM 0.5 chroot /mnt/pause /catatonit -P || echo $?"
    assert with_images.run(until_told) == "124\n"
