"""Debian's suites that hosts of a lab may boot, and where the packages of each are served."""

from __future__ import annotations

BOOKWORM, TRIXIE = "bookworm", "trixie"  # 12 and 13
SUITES = (BOOKWORM, TRIXIE)


def apt_folder(suite: str) -> str:
    """The folder of a suite's packages on the ops host's server."""
    return "apt" if suite == BOOKWORM else f"apt-{suite}"


def apt_repository(ops_url: str, suite: str = BOOKWORM) -> dict[str, str]:
    """Where hosts of a suite fetch packages: `url`, and `line` for apt's sources."""
    url = f"{ops_url}/{apt_folder(suite)}"
    return {"url": url, "line": f"deb [trusted=yes] {url} ./"}
