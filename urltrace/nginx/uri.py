"""The path that nginx compares with its locations: decoded, with `.`, `..` and doubled slashes resolved.

Source: ngx_http_parse_complex_uri; tried with nginx 1.22.
"""

from __future__ import annotations

import re

PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})?")


def normalized_uri(path: str, *, merge_slashes: bool = True) -> str | None:
    """What `$uri` is at first; None when nginx answers 400 instead."""
    raw = path.partition("#")[0].encode("utf-8", "surrogateescape")
    if not raw.startswith(b"/") or any(found.group(1) in (None, b"00") for found in PERCENT.finditer(raw)):
        return None
    decoded = PERCENT.sub(lambda found: bytes([int(found.group(1), 16)]), raw)
    parts: list[bytes] = []
    for number, part in enumerate(decoded.split(b"/")[1:]):
        last = number == decoded.count(b"/") - 1
        if part == b"..":
            if not parts:
                return None
            parts.pop()
        elif part not in (b"", b".") or (not part and not merge_slashes and not last):
            parts.append(part)
            continue
        if last:
            parts.append(b"")
    return "/" + b"/".join(parts).decode("utf-8", "surrogateescape")
