"""The path that nginx asks a backend for: by `rewrite`, and by a proxy_pass that has a path itself.

Source: ngx_http_rewrite_module, and proxy_pass in ngx_http_proxy_module.
"""

from __future__ import annotations

import re

from urltrace.nginx.choice import NginxChoice
from urltrace.nginx.regexp import compile_pcre
from urltrace.nginx.syntax import Directive

GROUP = re.compile(r"\$(\d)")
ENDS = ("break", "last")


def sent_path(choice: NginxChoice, path: str) -> tuple[str, Directive | None]:
    """The path that is sent for `path`, and the `rewrite` that made it; ('', None) where it can't be told."""
    proxied, location = choice.proxied, choice.location
    if proxied is None or location is None or not location.locations:
        return "", None
    try:
        changed, line = _rewritten(choice, path)
    except ValueError:
        return "", None
    if line or not proxied.uri:  # what a rewrite has made is sent as it is
        return changed, line
    chosen = location.locations[-1]
    if "$" in proxied.uri or chosen.modifier in ("~", "~*"):
        return "", None
    return proxied.uri + path.removeprefix(chosen.pattern), None


def _rewritten(choice: NginxChoice, path: str) -> tuple[str, Directive | None]:
    """Raises ValueError for a pattern or a variable that is not judged here."""
    by: Directive | None = None
    for line in choice.rules:
        if line.name != "rewrite" or len(line.arguments) < 2:
            continue
        found = compile_pcre(line.arguments[0]).search(path)
        if not found:
            continue
        made = GROUP.sub(lambda group, found=found: found[int(group[1])] or "", line.arguments[1])  # type: ignore[misc]
        if "$" in made or not made.startswith("/"):
            raise ValueError(f"{line} is not judged here")
        path, by = made.partition("?")[0], line
        if line.arguments[2:] and line.arguments[2] in ENDS:
            break
    return path, by
