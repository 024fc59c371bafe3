"""Passwords that a person types or keeps in a file: read when they are needed, as Ansible reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from provision.errors import InputError
from provision.home import expanded
from provision.inventory.vault import DEFAULT, Password, Vault
from provision.secret import SecretText

VARIABLE = "ANSIBLE_VAULT_PASSWORD_FILE"
FILE, ID, ASK = "--vault-password-file", "--vault-id", "--ask-vault-pass"
PROMPT = "prompt"
SCRIPT_SECONDS = 300  # a script may ask a person


def typed(prompt: str) -> SecretText:
    """From the terminal, unseen, or else the next line of a pipe."""
    import getpass

    return SecretText(getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n"))


def vault(files: Sequence[str], ids: Sequence[str], ask: bool, environment: Mapping[str, str] = os.environ) -> Vault:
    """The vault that the command line and the environment give passwords for.

    files: password files. ids: `LABEL@FILE` or `LABEL@prompt`. ask: a password is to be typed, now. A file is read, or
    run if it is executable, when something has to be opened. Raises InputError for a file that isn't there.
    """
    passwords = [_labelled(each) for each in ids]
    passwords += [_kept(expanded(file), DEFAULT, FILE) for file in files]
    if environment.get(VARIABLE):
        path = expanded(environment[VARIABLE])
        passwords.append(Password(DEFAULT, f"{path} ({VARIABLE})", lambda: _read(path, DEFAULT, VARIABLE)))
    if ask:
        passwords.append(_typed(DEFAULT, "Vault password: ", ASK))
    return Vault(passwords)


def _labelled(text: str) -> Password:
    label, at, source = text.rpartition("@")
    if not source or (at and not label):
        raise InputError(f"{ID} '{text}' can't be read", do=f"Write {ID} LABEL@FILE, or LABEL@{PROMPT} to be asked")
    label = label or DEFAULT
    if source == PROMPT:
        return _typed(label, f"Vault password ({label}): ", f"{ID} {text}")
    return _kept(expanded(source), label, ID)


def _typed(label: str, prompt: str, option: str) -> Password:
    password = typed(prompt).strip().encode()
    if not password:
        raise InputError("the vault password is empty", found=f"{option} asked for it", do="Type it, and Enter")
    return Password(label, f"the one typed ({option})", lambda: password)


def _kept(path: Path, label: str, option: str) -> Password:
    if path.is_dir() or not path.exists():  # a pipe is neither: <(pass show site)
        why = "it is a folder" if path.is_dir() else "there is no such file"
        raise InputError(f"{option} {path}: {why}", do="Name the file of the vault password")
    return Password(label, str(path), lambda: _read(path, label, option))


def _read(path: Path, label: str, option: str) -> bytes:
    """What the file says; what it prints, if it is executable. Raises InputError."""
    try:
        executable = path.is_file() and os.access(path, os.X_OK)
        password = _run(path, label, option) if executable else path.read_bytes().strip()
    except OSError as error:
        found = error.strerror or str(error)
        program = "Exec format" in found
        do = "If it is a password and no program: chmod -x" if program else "Name a file that you may read"
        raise InputError(f"{option} {path}: cannot get the vault password", found=found, do=do) from None
    if not password:
        raise InputError(f"{option} {path}: the vault password is empty", do="Write the password into its first line")
    return password


def _run(path: Path, label: str, option: str) -> bytes:
    """What a script prints. One whose name ends in -client gets the vault id as an argument, as in Ansible."""
    vault_id = ["--vault-id", label] if path.stem.endswith("-client") else []
    try:
        done = subprocess.run([path.absolute(), *vault_id], stdout=subprocess.PIPE, check=False, timeout=SCRIPT_SECONDS)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{option} {path}: cannot get the vault password",
            found=f"it is a program, and did not end within {SCRIPT_SECONDS} s",
            do="Run it by hand: it has to print the password",
        ) from None
    if done.returncode:
        raise InputError(
            f"{option} {path}: cannot get the vault password",
            found=f"it is a program, and ended with code {done.returncode}",
            do="Run it by hand: it has to print the password",
        )
    return done.stdout.strip(b"\r\n")
