"""Thirty ordinary testinfra tests of each host: `make bench-peers` runs them over several ways to a host."""

from typing import Any

import pytest

FILES = ("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/hostname", "/etc/os-release", "/etc/fstab", "/etc/profile")
FOLDERS = ("/etc", "/var", "/usr")
PACKAGES = ("bash", "coreutils", "curl", "dash", "grep", "openssh-server", "sed", "supervisor", "systemd", "tar")
UNITS = ("dbus", "dbus.socket", "ssh", "supervisor", "systemd-journald")
USERS = ("root", "daemon", "nobody", "sshd", "www-data")


@pytest.mark.parametrize("path", FILES)
def test_a_file_belongs_to_root(host: Any, path: str) -> None:
    """A file belongs to root."""
    assert host.file(path).user == "root"


@pytest.mark.parametrize("path", FOLDERS)
def test_a_folder_is_one(host: Any, path: str) -> None:
    """A folder is one."""
    assert host.file(path).is_directory


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_installed(host: Any, name: str) -> None:
    """A package is installed."""
    assert host.package(name).is_installed


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs(host: Any, name: str) -> None:
    """A unit runs."""
    assert host.service(name).is_running


@pytest.mark.parametrize("name", USERS)
def test_a_user_exists(host: Any, name: str) -> None:
    """A user exists."""
    assert host.user(name).exists
