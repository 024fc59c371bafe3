"""What stands after `is` in Jinja: the tests of ansible-core, beside those of Jinja2 itself."""

from __future__ import annotations

import math
import os.path
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlparse

from jinja2 import Undefined

from provision.templating.undefined import Failure, takes_markers
from provision.templating.versions import compare_versions

_YES = ("y", "yes", "on", "1", "true", "t", "1.0")
_NO = ("n", "no", "off", "0", "false", "f", "0.0")


@takes_markers
def defined(value: Any) -> Any:
    """Whether there is such a name."""
    return value if isinstance(value, Failure) else not isinstance(value, Undefined)


@takes_markers
def undefined(value: Any) -> Any:
    """Whether there is no such name."""
    return value if isinstance(value, Failure) else isinstance(value, Undefined)


def _matcher(method: str) -> Callable[..., bool]:
    def check(value: Any, pattern: str = "", ignorecase: bool = False, multiline: bool = False) -> bool:
        flags = (re.IGNORECASE if ignorecase else re.NOFLAG) | (re.MULTILINE if multiline else re.NOFLAG)
        return bool(getattr(re.compile(pattern, flags), method)(str(value)))

    return check


def regex(
    value: Any, pattern: str = "", ignorecase: bool = False, multiline: bool = False, match_type: str = "search"
) -> bool:
    """Whether `pattern` is in `value`, or matches it as `match_type` says (search, match, fullmatch)."""
    if match_type not in ("search", "match", "fullmatch"):
        raise ValueError(f"match_type is search, match or fullmatch, not {match_type!r}")
    return _matcher(match_type)(value, pattern, ignorecase, multiline)


def truthy(value: Any, convert_bool: bool = False) -> bool:
    """Whether Python takes `value` as true; convert_bool: whether it is a word that means yes."""
    known = str(value).strip().lower() if convert_bool and isinstance(value, (str, int, float)) else ""
    return known in _YES if known in (*_YES, *_NO) else bool(value)


def falsy(value: Any, convert_bool: bool = False) -> bool:
    """The opposite of `truthy`."""
    return not truthy(value, convert_bool)


def subset(left: Iterable[Any], right: Iterable[Any]) -> bool:
    """Whether all of `left` is in `right`."""
    return set(left) <= set(right)


def superset(left: Iterable[Any], right: Iterable[Any]) -> bool:
    """Whether all of `right` is in `left`."""
    return set(left) >= set(right)


def contains(container: Any, value: Any) -> bool:
    """Whether `value` is in the container."""
    return value in container


def nan(value: Any) -> bool:
    """Whether `value` is not a number, as floating point says it."""
    return isinstance(value, float) and math.isnan(value)


def uri(value: Any, schemes: Any = None) -> bool:
    """Whether `value` can be read as a URI, of one of the schemes if some are given."""
    try:
        return not schemes or urlparse(value).scheme in schemes
    except (AttributeError, ValueError):
        return False


def url(value: Any, schemes: Any = None) -> bool:
    """Whether `value` is a URL, of one of the schemes if some are given."""
    return uri(value, schemes) and bool(urlparse(value).netloc or urlparse(value).scheme == "file")


def urn(value: Any) -> bool:
    """Whether `value` is a URN."""
    return uri(value, ["urn"])


CHECKS: Mapping[str, Callable[..., Any]] = {
    "abs": os.path.isabs,
    "all": all,
    "any": any,
    "contains": contains,
    "defined": defined,
    "directory": os.path.isdir,
    "exists": os.path.exists,
    "falsy": falsy,
    "file": os.path.isfile,
    "is_abs": os.path.isabs,
    "is_dir": os.path.isdir,
    "is_file": os.path.isfile,
    "is_link": os.path.islink,
    "is_mount": os.path.ismount,
    "is_same_file": os.path.samefile,
    "isnan": nan,
    "issubset": subset,
    "issuperset": superset,
    "link": os.path.islink,
    "link_exists": os.path.lexists,
    "match": _matcher("match"),
    "mount": os.path.ismount,
    "nan": nan,
    "regex": regex,
    "same_file": os.path.samefile,
    "search": _matcher("search"),
    "subset": subset,
    "superset": superset,
    "truthy": truthy,
    "undefined": undefined,
    "uri": uri,
    "url": url,
    "urn": urn,
    "version": compare_versions,
    "version_compare": compare_versions,
}
