"""Files that lie beside inventories, or are named instead of one: what such a file is, so that an error can say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

_NAMES = {
    "ansible.cfg": "Ansible's configuration",
    "compose.yaml": "a Compose file",
    "compose.yml": "a Compose file",
    "docker-compose.yaml": "a Compose file",
    "docker-compose.yml": "a Compose file",
    "dockerfile": "a Dockerfile",
    "gemfile": "a Ruby program",
    "jenkinsfile": "a Jenkinsfile",
    "license": "a licence",
    "makefile": "a Makefile",
    "readme": "documentation",
    "vagrantfile": "a Vagrantfile",
}
_ENDS = {
    ".c": "a C program",
    ".csv": "a table",
    ".go": "a Go program",
    ".html": "a web page",
    ".j2": "a template",
    ".js": "a JavaScript program",
    ".md": "documentation",
    ".pem": "a key or certificate",
    ".pub": "a public key",
    ".py": "a Python program",
    ".rb": "a Ruby program",
    ".rst": "documentation",
    ".sh": "a shell script",
    ".tf": "Terraform's configuration",
    ".tfstate": "Terraform's state",
    ".tfvars": "Terraform's variables",
    ".xml": "XML",
}
_BEGINNINGS = (
    (re.compile(rb"\xff\xfe|\xfe\xff"), "text in UTF-16; inventories are UTF-8"),
    (re.compile(rb"[^\0]{,8000}\0", re.DOTALL), "a binary file"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|PK\x03\x04|\x28\xb5\x2f\xfd"), "a compressed file"),
    (re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE), "a web page or XML"),
    (re.compile(rb"-----BEGIN "), "a key or certificate"),
    (re.compile(rb"#!"), "a program that is not executable"),
    (re.compile(rb"\s*Host(?:Name)?[ \t]+\S+[^\n]*\n[ \t]+\w", re.IGNORECASE), "a configuration of ssh"),
)


def by_name(path: PurePath) -> str:
    """What a file of that name is, "" where it may be anything."""
    return _NAMES.get(path.name.lower()) or _ENDS.get(path.suffix.lower(), "")


def by_beginning(head: bytes) -> str:
    """What a file that begins with `head` is, "" where it may be anything."""
    return next((kind for form, kind in _BEGINNINGS if form.match(head)), "")


def is_manifest(text: str) -> bool:
    """Whether it is a file of Kubernetes objects, also with Jinja in it."""
    return all(re.search(rf"^{key}: *\S", text, re.MULTILINE) for key in ("apiVersion", "kind"))


def is_pem(text: str) -> bool:
    """Whether it is a certificate, a key, or both. openssl writes what it is before the first of them."""
    return re.search(r"^-----BEGIN [A-Z0-9 ]+-----$", text[:10_000], re.MULTILINE) is not None


def by_content(data: Any) -> str:
    """What a file is that says this in YAML, "" where it may be anything."""
    plays = isinstance(data, list) and any(isinstance(each, Mapping) and each.keys() & _PLAYS for each in data)
    return "a playbook" if plays else ""


_PLAYS = {"hosts", "import_playbook", "tasks", "ansible.builtin.import_playbook"}
