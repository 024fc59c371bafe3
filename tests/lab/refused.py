"""What a resource refuses on a real host: what is prepared there, the resource, and what the error says."""

from __future__ import annotations

from collections.abc import Mapping

from provision.resources import Download, File, Package, Resource, Service

REFUSED: Mapping[str, tuple[str, Resource, str]] = {
    "a directory stands at the path": (
        "mkdir -p /data/in-the-way",
        File(path="/data/in-the-way", content="x"),
        "there is a directory at this path",
    ),
    "the disk is full": (
        "mkdir -p /data/full; mountpoint -q /data/full || mount -t tmpfs -o size=64k tmpfs /data/full",
        File(path="/data/full/big", content="x" * 200_000),
        "Free space on the host",
    ),
    "the file system is read-only": (
        "mkdir -p /data/ro; mountpoint -q /data/ro || mount -t tmpfs -o ro tmpfs /data/ro",
        File(path="/data/ro/file", content="x"),
        "mounted read-only",
    ),
    "the owner does not exist": (
        "true",
        File(path="/data/nobodys", content="x", owner="nobody-of-that-name"),
        "Create the user first",
    ),
    "there is no such package": ("true", Package(names=("no-such-package",)), "no-such-package"),
    "a package would remove another one": (
        "echo 'deb [trusted=yes] http://10.4.7.200/apt ./' >/etc/apt/sources.list.d/x.list;"
        " mkdir -p /data/rival/DEBIAN; cd /data; printf 'Package: rival\\nVersion: 1\\nArchitecture: all\\n"
        "Maintainer: x <x@example.org>\\nDescription: x\\nConflicts: nginx\\n' >rival/DEBIAN/control;"
        " dpkg-deb -b rival >/dev/null && dpkg -i rival.deb >/dev/null",
        Package(names=("nginx",), on_conflict="Choose one"),
        "apt would remove rival to install nginx. Choose one",
    ),
    "the removal of a package would take another one along": (
        "for name in base-one needs-it; do mkdir -p /data/$name/DEBIAN;"
        " printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n'"
        " $name >/data/$name/DEBIAN/control; done; cd /data;"
        " echo 'Depends: base-one' >>needs-it/DEBIAN/control;"
        " for name in base-one needs-it; do dpkg-deb -b $name >/dev/null; dpkg -i $name.deb >/dev/null; done",
        Package(names=("base-one",), absent=True, on_conflict="Choose one"),
        "apt would remove needs-it to remove base-one. Choose one",
    ),
    "the download is not what was declared": (
        "mkdir -p /data",
        Download(path="/data/tool", url="http://10.4.7.200/apt/Packages", sha256="0" * 64),
        "checksum of",
    ),
    "the service does not come up": (
        "printf '[Service]\\nExecStart=/bin/sh -c \"echo no such luck; exit 3\"\\n' >/etc/systemd/system/bad.service",
        Service(name="bad", enabled=False, ready="false", ready_timeout=1),
        "no such luck",
    ),
    "another apt holds the lock": (
        "echo 'deb [trusted=yes] http://10.4.7.200/apt ./' >/etc/apt/sources.list.d/x.list;"
        " setsid -f perl -MFcntl -e 'open F, q(>/var/lib/dpkg/lock-frontend);"
        " $l = pack(q(s s x4 q q i x4), F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; sleep 20'"
        " >/dev/null 2>&1; sleep 0.3",
        Package(names=("supervisor",), lock_timeout=1),
        "Another apt is at work",
    ),
}  # fmt: skip
