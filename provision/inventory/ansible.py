"""The `ansible_*` variables: which of them are understood, have no effect or are refused."""

from __future__ import annotations

from typing import Any

from provision.errors import InputError
from provision.spelling import suggestion

# Each with all its names; where several are set the last one wins, as in Ansible's plugins ssh and sudo (2.19.14).
ALIASES: dict[str, tuple[str, ...]] = {
    "ansible_host": ("ansible_host", "ansible_ssh_host"),
    "ansible_port": ("ansible_port", "ansible_ssh_port"),
    "ansible_user": ("ansible_user", "ansible_ssh_user"),
    "ansible_password": ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
    "ansible_ssh_private_key_file": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "ansible_become_password": ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
    "ansible_become_user": ("ansible_become_user", "ansible_sudo_user"),
    "ansible_become_method": ("ansible_become_method",),
    "ansible_become": ("ansible_become",),
    "ansible_ssh_args": ("ansible_ssh_args",),
    "ansible_ssh_common_args": ("ansible_ssh_common_args",),
    "ansible_ssh_extra_args": ("ansible_ssh_extra_args",),
    "ansible_host_key_checking": ("ansible_host_key_checking", "ansible_ssh_host_key_checking"),
    "ansible_connection": ("ansible_connection",),
    "ansible_ssh_timeout": ("ansible_timeout", "ansible_ssh_timeout"),
}
ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
NAMES = frozenset(name for names in ALIASES.values() for name in names)
# What Ansible itself never shows.
SECRETS = frozenset(name for each in ("ansible_password", "ansible_become_password") for name in ALIASES[each])
# Accepted and not needed: hosts need no Python and no temporary folder, and all commands share one channel.
IGNORED = frozenset(
    {
        "ansible_python_interpreter",
        "ansible_pipelining",
        "ansible_ssh_pipelining",
        "ansible_remote_tmp",
        "ansible_async_dir",
    }
)
# What says how a host is reached, and can't be followed: an error where something is to be done on that host.
REFUSED = {
    "ansible_private_key": "Write the key into a file and name that: ansible_ssh_private_key_file.",
    "ansible_ssh_private_key": "Write the key into a file and name that: ansible_ssh_private_key_file.",
    "ansible_private_key_passphrase": "Load the key into ssh-agent: ssh-add FILE.",
    "ansible_ssh_private_key_passphrase": "Load the key into ssh-agent: ssh-add FILE.",
    "ansible_ssh_pkcs11_provider": "Load the key into ssh-agent: ssh-add -s PROVIDER.",
}
_INSTEAD = {
    "ansible_become_flags": "sudo is called without further options",
    "ansible_become_exe": "sudo is found by PATH on the host",
    "ansible_group_priority": "it counts in the inventory file, as a variable of a group",
}
# Names that every host has of itself. The first two are variables in Ansible, which other variables could replace.
PLACES = ("inventory_dir", "inventory_file")
MAGIC = (
    *(*PLACES, "inventory_hostname", "inventory_hostname_short", "playbook_dir", "groups", "group_names", "hostvars"),
    "ansible_playbook_python",
)
LOCAL = ("local", "ansible.builtin.local", "ansible.legacy.local")
SSH = tuple(
    f"{collection}{name}"
    for name in ("ssh", "smart", "paramiko", "paramiko_ssh")
    for collection in ("", "ansible.builtin.", "ansible.legacy.")
)
SUDO = ("sudo", "ansible.builtin.sudo", "ansible.legacy.sudo")


def is_special(name: str) -> bool:
    """Whether a variable of that name may mean something to Ansible itself."""
    return name.startswith("ansible_") or name in MAGIC


def check_name(name: str, line: str) -> str:
    """What to say once about a variable that has no effect, "" for any other.

    Raises InputError, placed at `line`, for a name that would have an effect in Ansible and can't be set here.
    """
    if name in PLACES:
        raise InputError(f"'{name}' can't be set", line=line, do="Every host has it of itself: choose another name.")
    if name in MAGIC:
        return f"{line}: '{name}' has no effect, as in Ansible: every host has it of itself"
    if not name.startswith("ansible_") or name in NAMES or name in IGNORED or name in REFUSED:
        return ""
    why = _INSTEAD.get(name) or suggestion(name, NAMES) or "it does not change how a host is reached"
    return f"{line}: the variable {name} has no effect here: {why}".rstrip(".")


def as_bool(value: Any) -> bool | None:
    """Ansible's idea of yes and no; None for neither."""
    text = str(value).strip().lower()
    return {"true": True, "yes": True, "on": True, "1": True, "y": True, "t": True}.get(
        text, False if text in ("false", "no", "off", "0", "n", "f") else None
    )
