"""The filters of ansible-core, beside those of Jinja2 itself, and two of our own: `word` and `yaml`.

Those that need nothing but the standard library and PyYAML; what the others have instead is in
provision.templating.refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provision.templating.filters import digests, formats, lists, numbers, paths, texts
from provision.templating.filters.formats import yaml
from provision.templating.filters.texts import to_bool, word

__all__ = ["FILTERS", "to_bool", "word", "yaml"]

FILTERS: Mapping[str, Callable[..., Any]] = {
    **digests.FILTERS,
    **formats.FILTERS,
    **lists.FILTERS,
    **numbers.FILTERS,
    **paths.FILTERS,
    **texts.FILTERS,
}
