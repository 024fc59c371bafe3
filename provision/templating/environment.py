"""Jinja2 for a role's templates: strict, lazy, and with undefined names that say what they are.

Imports jinja2 at its top, and so is itself imported only when something is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import BytecodeCache, Environment, TemplateError
from jinja2.loaders import BaseLoader
from jinja2.runtime import Context

from provision.secret import record
from provision.templating.filters import FILTERS
from provision.templating.undefined import Missing, MissingNameError

__all__ = ["SCOPE", "LazyContext", "MissingNameError", "TemplateError", "context", "environment", "plain"]

SCOPE = "the scope"  # not a name that a template can write


class LazyContext(Context):
    """Looks a name up in the scope when the template uses it, so that unused variables are never evaluated."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        scope = self.parent.get(SCOPE)
        if scope is not None:
            try:
                return record(scope[key])
            except KeyError:
                pass
        return super().resolve_or_missing(key)


class _Environment(Environment):
    """Tells whoever watches of the secrets that a template looks up."""

    context_class = LazyContext

    def getattr(self, obj: Any, attribute: str) -> Any:
        return record(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        return record(super().getitem(obj, argument))


def environment(
    loader: BaseLoader | None = None, compiled: BytecodeCache | None = None, *, lstrip: bool = False
) -> Environment:
    """For `loader`'s templates. compiled: where compiled templates are kept."""
    made = _Environment(
        undefined=Missing,
        loader=loader,
        bytecode_cache=compiled,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=lstrip,
        auto_reload=False,
        finalize=plain,
    )
    made.filters.update(FILTERS)
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": plain}
    return made


def context(scope: Mapping[str, Any]) -> dict[str, Any]:
    """What to give to `Template.render` so that names are looked up in `scope`."""
    return {SCOPE: scope}


def plain(value: Any) -> Any:
    """`value` as plain data: views and generators resolved. Raises MissingNameError for what is undefined."""
    if isinstance(value, Missing):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, (list, Iterator)) or type(value).__name__ in _VIEWS:
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) and type(value).__name__ == "Markup" else value


_VIEWS = frozenset({"dict_keys", "dict_values", "dict_items", "range", "KeysView", "ValuesView", "ItemsView"})
