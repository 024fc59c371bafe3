"""Jinja2 as this project uses it: strict, lazy, and with undefined names that say what they are.

The only module that imports jinja2 at its top, and so itself imported only when something is rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from jinja2 import BytecodeCache, Environment, StrictUndefined, TemplateError, UndefinedError, nodes
from jinja2.loaders import BaseLoader
from jinja2.runtime import Context
from jinja2.utils import missing

from provision.secret import record
from provision.templating.filters import FILTERS

__all__ = ["MissingNameError", "TemplateError", "compile_text", "context", "environment", "plain"]

_SCOPE = "the scope"  # not a name that a template can write


class MissingNameError(UndefinedError):
    """A template used `name`, which isn't there. candidates: the names that are."""

    def __init__(self, message: str, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(message)
        self.name = name
        self.candidates = candidates


class _Undefined(StrictUndefined):
    """Raises MissingNameError when it is used."""

    def __init__(self, hint: str | None = None, obj: Any = missing, name: str | None = None, *_: Any) -> None:
        keys = tuple(map(str, obj)) if isinstance(obj, Mapping) else ()
        failure: Any = partial(MissingNameError, name=str(name or ""), candidates=keys)
        super().__init__(hint, obj, name, failure)


class _LazyContext(Context):
    """Looks a name up in the scope when the template uses it, so that unused variables are never evaluated."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        scope = self.parent.get(_SCOPE)
        if scope is not None:
            try:
                return record(scope[key])
            except KeyError:
                pass
        return super().resolve_or_missing(key)


class _Environment(Environment):
    """Tells whoever watches of the secrets that a template looks up."""

    context_class = _LazyContext

    def getattr(self, obj: Any, attribute: str) -> Any:
        return record(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        return record(super().getitem(obj, argument))


def environment(
    loader: BaseLoader | None = None, compiled: BytecodeCache | None = None, *, lstrip: bool = False
) -> Environment:
    """For `loader`'s templates, or for the texts of variables. compiled: where compiled templates are kept."""
    made = _Environment(
        undefined=_Undefined,
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
    return {_SCOPE: scope}


def compile_text(environment: Environment, text: str) -> Callable[[Mapping[str, Any]], Any]:
    """A variable's text as a function of a scope.

    `"{{ x }}"`, one expression and nothing else, gives x itself (a number, a list); anything else gives
    text. A newline that YAML left at the end belongs to the text. Raises jinja2.TemplateError.
    """
    body = text.rstrip("\n")
    if _is_expression(environment, body):
        expression = environment.compile_expression(body[2:-2].strip("-+ \n"), undefined_to_none=False)
        tail = text[len(body) :]

        def evaluate(scope: Mapping[str, Any]) -> Any:
            value = plain(expression(context(scope)))
            return value + tail if isinstance(value, str) else value

        return evaluate
    template = environment.from_string(text)
    return lambda scope: template.render(context(scope))


def plain(value: Any) -> Any:
    """`value` as plain data: views and generators resolved. Raises MissingNameError for what is undefined."""
    if isinstance(value, _Undefined):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, (list, Iterator)) or type(value).__name__ in _VIEWS:
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) and type(value).__name__ == "Markup" else value


_VIEWS = frozenset({"dict_keys", "dict_values", "dict_items", "range", "KeysView", "ValuesView", "ItemsView"})


def _is_expression(environment: Environment, text: str) -> bool:
    if not (text.startswith("{{") and text.endswith("}}")):
        return False
    body = environment.parse(text).body
    return (
        len(body) == 1
        and isinstance(body[0], nodes.Output)
        and len(body[0].nodes) == 1
        and not isinstance(body[0].nodes[0], nodes.TemplateData)
    )
