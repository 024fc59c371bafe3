"""`nft list ruleset`: the rules that stop a connection, of tables that iptables does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator

TABLE = re.compile(r"^table (\S+) (\S+)")
IPTABLES = ("filter", "nat", "mangle", "raw", "security")  # which iptables-save prints as well
PORT = re.compile(r"\bdport (\{[^}]*\}|\S+)")
SOURCE = re.compile(r"\bsaddr (!= )?(\{[^}]*\}|\S+)")
TARGET = re.compile(r"\bdaddr (!= )?(\{[^}]*\}|\S+)")


def stopping(text: str, *, source: str, destination: str, port: int) -> str:
    """The first rule that drops or rejects such a connection, after its table; '' for none.

    Only rules that name the port: what is not understood is never called the cause.
    """
    return next((f"{table}: {rule}" for table, rule in _rules(text) if _about(rule, source, destination, port)), "")


def _rules(text: str) -> Iterator[tuple[str, str]]:
    table = family = name = ""
    for line in text.splitlines():
        if found := TABLE.match(line):
            family, name = found.groups()
            table = f"table {family} {name}"
        elif re.search(r" (drop|reject)\b", line) and not (family in ("ip", "ip6") and name in IPTABLES):
            yield table, re.sub(r" # handle \d+$", "", line.strip())


def _about(rule: str, source: str, destination: str, port: int) -> bool:
    ports = PORT.search(rule)
    if ports is None or not _holds(ports[1], str(port)):
        return False
    return _meets(SOURCE, rule, source) and _meets(TARGET, rule, destination)


def _meets(pattern: re.Pattern[str], rule: str, address: str) -> bool:
    found = pattern.search(rule)
    return found is None or _holds(found[2], address) != bool(found[1])


def _holds(words: str, value: str) -> bool:
    return value in re.split(r"[{},\s]+", words)
