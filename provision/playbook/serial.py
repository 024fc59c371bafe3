"""How many hosts of a play change at a time, and how many of them may fail: numbers, percentages, lists, as Ansible has
them (docs.ansible.com, 'Controlling playbook execution')."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

_WRITTEN = re.compile(r"(\d{1,6})(%?)")


@dataclass(frozen=True)
class Share:
    """Some of a number of hosts: so many, or so many per cent."""

    number: int
    percent: bool = False

    @staticmethod
    def read(written: object) -> Share | None:
        """The share that `3`, `"3"` or `"25%"` is; None for anything else."""
        match = None if isinstance(written, bool) else _WRITTEN.fullmatch(str(written).strip())
        if match is None or (match[2] and int(match[1]) > 100):
            return None
        return Share(int(match[1]), bool(match[2]))

    def of(self, total: int) -> int:
        """So many of `total`, rounded down."""
        return self.number * total // 100 if self.percent else self.number


def batches(serial: Sequence[Share], total: int) -> Iterator[slice]:
    """The batches of `total` hosts. The last size is repeated; each has one host at least. No size: all at once."""
    first = 0
    for share in chain(serial, repeat(serial[-1] if serial else Share(100, True))):
        if first >= total:
            return
        size = max(share.of(total), 1)
        yield slice(first, first + size)
        first += size
