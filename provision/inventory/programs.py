"""Inventory programs: what one prints with --list, and with --host where that is needed, as a YAML inventory has it.

The form is that of Ansible's plugin `script` (docs.ansible.com, "Developing dynamic inventory").
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provision.errors import InputError
from provision.inventory.vault import Vault
from provision.inventory.yamlfile import Document, is_nested_deep
from provision.spelling import quoted
from provision.templating.marks import Unsafe

_SECONDS = 300
_DO_RUN = "Run it by hand and look: PROGRAM --list"


def run(path: Path, shown: str, vault: Vault) -> Document:
    """The inventory that the program prints. vault: opens what is encrypted in it.

    Raises InputError when it fails or prints something else.
    """
    groups = _asked(path, shown, vault, "--list")
    meta = groups.pop("_meta", None)
    variables = meta.get("hostvars") if isinstance(meta, Mapping) else None
    if variables is not None and not isinstance(variables, Mapping):
        raise _wrong(shown, "'_meta.hostvars' is no object")
    bodies = {name: _group(shown, name, body) for name, body in groups.items()}
    hosts = dict.fromkeys(host for body in bodies.values() for host in body.get("hosts", ()))
    known = {
        host: _asked(path, shown, vault, "--host", host) if variables is None else variables.get(host) for host in hosts
    }
    data = {
        name: {**body, "hosts": {host: known[host] for host in body.get("hosts", ())}} for name, body in bodies.items()
    }
    return Document(data, shown)


def _group(shown: str, name: str, body: Any) -> dict[str, Any]:
    if isinstance(body, list):
        body = {"hosts": body}
    if not isinstance(body, Mapping):
        raise _wrong(shown, f"the group '{name}' is neither an object nor a list")
    if not body.keys() & {"hosts", "vars", "children"}:
        body = {"hosts": [name], "vars": body}
    for key in ("hosts", "children"):
        if not isinstance(body.get(key, []), list) or not all(isinstance(each, str) for each in body.get(key, [])):
            raise _wrong(shown, f"'{key}' of the group '{name}' is no list of names")
    return {
        "hosts": body.get("hosts", []),
        "vars": body.get("vars"),
        "children": dict.fromkeys(body.get("children", ())),
    }


def _asked(path: Path, shown: str, vault: Vault, *words: str) -> dict[str, Any]:
    try:
        done = subprocess.run([path, *words], capture_output=True, timeout=_SECONDS, check=False)
    except OSError as error:
        raise _wrong(shown, f"it can't be run: {error.strerror}") from None
    except ValueError:
        raise _wrong(shown, f"no program can be asked for the host {quoted(words[-1])}") from None
    except subprocess.TimeoutExpired:
        raise _wrong(shown, f"it did not end within {_SECONDS} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise _wrong(shown, f"it ended with exit code {done.returncode}{f': {said[-1]}' if said else ''}")
    try:
        text = (done.stdout or b"{}").decode()
        found = None if is_nested_deep(text) else json.loads(text, object_hook=lambda each: _marked(each, shown, vault))
        json.dumps(found, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise _wrong(shown, "half of a surrogate pair is no text") from None
    except ValueError:
        raise _wrong(shown, "what it prints is not JSON") from None
    if not isinstance(found, dict):
        raise _wrong(shown, "it prints JSON that is no object, or is nested without end")
    return found


def _marked(value: dict[str, Any], shown: str, vault: Vault) -> Any:
    """What `ansible-inventory --export` and its like write for YAML's !vault and !unsafe."""
    match value:
        case {"__ansible_vault": str(text)}:
            return vault.seal(text, shown)
        case {"__ansible_unsafe": str(text)}:
            return Unsafe(text)
    return value


def _wrong(shown: str, found: str) -> InputError:
    return InputError("the inventory program can't be used", line=shown, found=found, do=_DO_RUN)
