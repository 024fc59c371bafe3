"""A question of DNS and its answer, as bytes: hosts need no program for it."""

from __future__ import annotations

from collections.abc import Iterator

A, SOA = 1, 6
STATUS = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
JUMPS = 20


def query(name: str) -> bytes:
    """The question for the address of a name, with recursion."""
    labels = [label.encode("ascii", "replace") for label in name.rstrip(".").split(".")]
    if any(not 0 < len(label) < 64 for label in labels):
        labels = []
    asked = b"".join(bytes([len(label)]) + label for label in labels)
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + asked + b"\x00\x00\x01\x00\x01"


def printf(data: bytes) -> str:
    """The format with which bash's printf writes these bytes."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def described(reply: bytes) -> str:
    """An answer in the lines that dig prints: its status, and its records of kinds A and SOA.

    Raises ValueError when it is no answer of DNS.
    """
    if len(reply) < 12:
        raise ValueError("no answer of DNS")
    status = STATUS.get(reply[3] & 15, str(reply[3] & 15))
    try:
        return "\n".join([f";; status: {status}", *_records(reply)]) + "\n"
    except IndexError:
        raise ValueError("an answer of DNS that was cut short") from None


def _records(reply: bytes) -> Iterator[str]:
    asked = int.from_bytes(reply[4:6], "big")
    count = sum(int.from_bytes(reply[at : at + 2], "big") for at in (6, 8))
    at = 12
    for _ in range(asked):
        _, at = _name(reply, at)
        at += 4
    for _ in range(count):
        name, at = _name(reply, at)
        kind, ttl = int.from_bytes(reply[at : at + 2], "big"), int.from_bytes(reply[at + 4 : at + 8], "big")
        length = int.from_bytes(reply[at + 8 : at + 10], "big")
        at += 10
        if kind == A and length == 4:
            yield f"{name}.\t{ttl}\tIN\tA\t{'.'.join(str(byte) for byte in reply[at : at + 4])}"
        elif kind == SOA:
            server, after = _name(reply, at)
            mail, after = _name(reply, after)
            numbers = [str(int.from_bytes(reply[after + 4 * n : after + 4 * n + 4], "big")) for n in range(5)]
            yield f"{name}.\t{ttl}\tIN\tSOA\t{server}. {mail}. {' '.join(numbers)}"
        at += length


def _name(reply: bytes, at: int) -> tuple[str, int]:
    """A name, and where what follows it begins; pointers lead to an earlier part of the answer."""
    labels: list[str] = []
    end = 0
    for _ in range(JUMPS * 8):
        length = reply[at]
        if length >= 192:
            end = end or at + 2
            at = (length & 63) << 8 | reply[at + 1]
        elif length:
            labels.append(reply[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
        else:
            return ".".join(labels), end or at + 1
    raise ValueError("an answer of DNS whose names lead in circles")
