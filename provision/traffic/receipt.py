"""What clients saw while something changed: plain data, for reports and for journals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Window:
    """When a host was out, in seconds since the prober began; `back` is None while it still is."""

    host: str
    out: float
    back: float | None = None


@dataclass(frozen=True)
class Seen:
    """How often an application was asked, and how often it failed."""

    name: str
    requests: int
    failures: int

    def __str__(self) -> str:
        return f"{self.name} {self.requests}, {self.failures} failed"


@dataclass(frozen=True)
class Receipt:
    """What clients saw. longest_gap: the longest time, in milliseconds, in which no request succeeded that has to
    succeed all the time.

    rate: requests a second that were really sent; asked: that should have been. windows: when each host was out.
    not_served: what did not answer before anything changed, and was therefore not asked. began: the time (UTC, ISO
    8601) from which `seconds` and the windows count. applications: what of the requests went to each of them.
    """

    requests: int
    failures: int
    longest_gap: float
    seconds: float
    rate: float
    asked: float
    first_faults: tuple[str, ...]
    windows: tuple[Window, ...] = ()
    not_served: tuple[str, ...] = ()
    began: str = ""
    applications: tuple[Seen, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For the run's folder and --json."""
        return asdict(self)

    def __str__(self) -> str:
        of = f"; of these {'; '.join(map(str, self.applications))}" if self.applications else ""
        return (
            f"{self.requests} requests in {self.seconds:.1f} s, {self.failures} failed, "
            f"longest gap {self.longest_gap:.0f} ms{of}"
        )
