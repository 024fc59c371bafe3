"""The Jinja of variables, as ansible-core 2.19 has it: an expression gives its value, not a text of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import Environment, TemplateError, Undefined, pass_context, pass_environment
from jinja2.filters import do_unique, sync_do_groupby
from jinja2.lexer import TOKEN_STRING, TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END, Lexer
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment

from provision.templating import refused
from provision.templating.checks import CHECKS
from provision.templating.environment import SCOPE, LazyContext, context
from provision.templating.filters import FILTERS
from provision.templating.lookups import look_up
from provision.templating.marks import LONGEST_NUMBER, OVERRIDE, is_template
from provision.templating.plugins import Plugins, listed
from provision.templating.undefined import (
    Failure,
    Marker,
    Missing,
    MissingNameError,
    failure,
    marker_among,
    takes_markers,
)

__all__ = [
    "OMIT",
    "Marker",
    "MissingNameError",
    "NativeEnvironment",
    "OmittedError",
    "TemplateError",
    "compile_text",
    "failure",
    "settled",
]


class Omitted:
    """`omit`: an item with this value is left out of its list or mapping."""


class OmittedError(TemplateError):
    """A whole variable is `omit`."""


OMIT = Omitted()
_DEEPEST = 200  # as YAML may be nested


class UnfitError(TemplateError):
    """What a template gives is no value that a variable can have. do: what to do about it."""

    def __init__(self, message: str, do: str) -> None:
        super().__init__(message)
        self.do = do


class _Lexer(Lexer):
    """Takes a backslash in a text inside `{{ }}` as it is: YAML has read the escapes already."""

    def tokeniter(self, *args: Any, **kwargs: Any) -> Iterator[tuple[int, str, str]]:
        inside = False
        for line, kind, text in super().tokeniter(*args, **kwargs):
            inside = kind != TOKEN_VARIABLE_END and (inside or kind == TOKEN_VARIABLE_BEGIN)
            yield line, kind, text.replace("\\", "\\\\") if inside and kind == TOKEN_STRING else text


class NativeEnvironment(SandboxedEnvironment):
    """Compiles the texts of variables."""

    context_class = LazyContext
    code_generator_class = NativeCodeGenerator

    def __init__(self) -> None:
        super().__init__(undefined=Missing, trim_blocks=True, finalize=_unchanged, optimized=False)
        filters: Any = self.filters
        checks: Any = self.tests
        filters = Plugins("filter", {**filters, **FILTERS, **_FILTERS}, refused.FILTERS)
        checks = Plugins("test", {**checks, **CHECKS}, refused.CHECKS)
        self.filters, self.tests = filters, checks
        self.globals.update(lookup=_lookup, query=_query, q=_query, now=_now, omit=OMIT, undef=_undef)
        self._own_lexer = _Lexer(self)

    @property
    def lexer(self) -> Lexer:
        """The lexer of this environment."""
        return self._own_lexer

    @staticmethod
    def concat(parts: Iterable[Any]) -> Any:
        """The one part as it is; several as a text, in which null is nothing."""
        given = [part for part in parts if part is not None]
        if len(given) < 2:
            return given[0] if given else None
        return next((part for part in given if isinstance(part, Marker)), None) or "".join(map(_text, given))

    def call(self, jinja: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls a function of a template; what it can't do is a Marker."""
        if isinstance(function, Marker):
            return function
        if not isinstance(function, Macro):
            marker = marker_among(function, args, kwargs)
            if marker is not None:
                return marker
        try:
            return listed(super().call(jinja, function, *args, **kwargs))
        except Exception as error:  # it matters only if the result is used
            return failure(error)


def compile_text(environment: NativeEnvironment, text: str) -> Callable[[Mapping[str, Any]], Any]:
    """A variable's text as a function of a scope. What that gives may be lazy: `settled` makes plain data of it.

    Raises TemplateError for what Jinja can't read; the function raises what the evaluation fails with.
    """
    if text.startswith(OVERRIDE):
        raise UnfitError(f"a value can't change Jinja's syntax ('{OVERRIDE}')", "Write the value with {{ }}.")
    template = environment.from_string(text)
    newlines = len(text) - len(text.rstrip("\n"))

    def evaluate(scope: Mapping[str, Any]) -> Any:
        made = environment.concat(template.root_render_func(template.new_context(context(scope))))
        if isinstance(made, str):
            made += "\n" * (newlines - (len(made) - len(made.rstrip("\n"))))
        if made is OMIT:
            raise OmittedError("the value is 'omit'")
        return made

    return evaluate


def settled(value: Any, depth: int = 0) -> Any:
    """What a template gave as plain data. Raises what a Marker in it stands for, and UnfitError."""
    if depth > _DEEPEST:
        raise UnfitError(f"it holds itself, or is nested deeper than {_DEEPEST} levels", "Write the value out.")
    if isinstance(value, str):
        return str(value) if type(value).__name__ == "Markup" else value
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        raise UnfitError("the number has thousands of digits", "Write a smaller one.")
    if value is None or isinstance(value, (int, float, datetime.date)):
        return value
    if isinstance(value, Mapping):
        return {settled(key): settled(item, depth + 1) for key, item in value.items() if item is not OMIT}
    if isinstance(value, (list, tuple, range)):
        return [settled(item, depth + 1) for item in value if item is not OMIT]
    if isinstance(value, Marker):
        str(value)
    if isinstance(value, Undefined):
        raise UnfitError("an 'if' without 'else' gives nothing here", "Add the 'else'.")
    raise UnfitError(f"it gives a {type(value).__name__}, which is no value", "A method is called with (): x.items()")


def _text(value: Any) -> str:
    return str(settled(value)) if isinstance(value, (Mapping, list, tuple)) else str(value)


@pass_context
def _unchanged(jinja: Context, value: Any) -> Any:
    """For Jinja's `finalize`: that it wants the context keeps constants from being joined while compiling."""
    return value


@takes_markers
@pass_context
def _lookup(jinja: Context, kind: str, *terms: Any, **options: Any) -> Any:
    environment: Any = jinja.environment
    scope = jinja.parent[SCOPE]
    # Ansible's old way to name a variable in a lookup: lookup('file', '{{ folder }}/x')
    read = [
        settled(compile_text(environment, term)(scope)) if isinstance(term, str) and is_template(term) else term
        for term in terms
    ]
    return look_up(scope, kind, read, options)


@takes_markers
@pass_context
def _query(jinja: Context, kind: str, *terms: Any, **options: Any) -> Any:
    return _lookup(jinja, kind, *terms, **{**options, "wantlist": True})


def _now(utc: bool = False, fmt: str | None = None) -> Any:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) if utc else datetime.datetime.now()
    return now.strftime(fmt) if fmt else now


def _undef(hint: str = "a value that has to be set is not") -> Missing:
    return Missing(hint)


@takes_markers
def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return default if isinstance(value, Missing) or (boolean and not value) else value


@takes_markers
def _mandatory(value: Any, msg: str | None = None) -> Any:
    return Failure.of(ValueError(msg)) if isinstance(value, Missing) and msg else value


@takes_markers
def _type_debug(value: Any) -> str:
    kinds = (("dict", dict), ("list", list), ("str", str))
    return next((name for name, kind in kinds if isinstance(value, kind)), type(value).__name__)


@pass_environment
def _unique(environment: Environment, items: Any, case_sensitive: bool = False, attribute: Any = None) -> list[Any]:
    try:
        return list(do_unique(environment, items, case_sensitive, attribute))
    except TypeError:  # mappings and lists have no hash
        return [item for place, item in enumerate(items) if item not in items[:place]]


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "d": _default,
    "default": _default,
    "groupby": sync_do_groupby,
    "mandatory": _mandatory,
    "ternary": takes_markers(FILTERS["ternary"]),
    "type_debug": _type_debug,
    "unique": _unique,
}
