"""Filters that read and write JSON and YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml as pyyaml
from jinja2 import Undefined

_LOADER: Any = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)
_DUMPER: Any = getattr(pyyaml, "CSafeDumper", pyyaml.SafeDumper)


class _Dumper(_DUMPER):  # type: ignore[misc]  # which of the two dumpers there is, only PyYAML's build knows
    """Writes what only behaves like a mapping or a list, or is derived from a text or number, as the plain thing."""


_Dumper.add_multi_representer(dict, lambda dumper, value: dumper.represent_dict(dict(value)))
_Dumper.add_multi_representer(Mapping, lambda dumper, value: dumper.represent_dict(dict(value)))
_Dumper.add_multi_representer(list, lambda dumper, value: dumper.represent_list(list(value)))
_Dumper.add_multi_representer(tuple, lambda dumper, value: dumper.represent_list(list(value)))
_Dumper.add_multi_representer(Undefined, lambda dumper, value: dumper.represent_str(str(value)))  # raises
for _kind in (str, int, float):
    _Dumper.add_multi_representer(_kind, lambda dumper, value, kind=_kind: dumper.represent_data(kind(str(value))))


def to_json(value: Any, indent: int | None = None, **options: Any) -> str:
    """`value` as JSON, keys in their order."""
    return json.dumps(value, indent=indent, default=dict, **options)


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, **options: Any) -> str:
    """`value` as JSON for people: a line for each item, keys sorted."""
    return to_json(value, indent, **{**options, "sort_keys": sort_keys, "separators": (",", ": ")})


def from_json(text: str, **options: Any) -> Any:
    """What the JSON in `text` says. Raises ValueError."""
    return json.loads(text, **options)


def to_yaml(value: Any, *_: Any, default_flow_style: bool | None = None, **options: Any) -> str:
    """`value` as YAML: lists and mappings of nothing but plain values on one line."""
    return str(pyyaml.dump(value, Dumper=_Dumper, allow_unicode=True, default_flow_style=default_flow_style, **options))


def to_nice_yaml(value: Any, indent: int = 4, *_: Any, default_flow_style: bool = False, **options: Any) -> str:
    """`value` as YAML for people: a line for each item."""
    return to_yaml(value, indent=indent, default_flow_style=default_flow_style, **options)


def from_yaml(text: Any) -> Any:
    """What the YAML in `text` says; what is not text is given back. Raises yaml.YAMLError."""
    return pyyaml.load(text, _LOADER) if isinstance(text, str) else text


def from_yaml_all(text: Any) -> Any:
    """What each document of the YAML in `text` says. Raises yaml.YAMLError."""
    if text is None:
        return []
    return list(pyyaml.load_all(text, _LOADER)) if isinstance(text, str) else text


def yaml(value: Any, indent: int | None = None) -> str:
    """`value` as YAML that no text in it can leave: JSON, with the only escapes that both languages have in common."""
    text = json.dumps(value, indent=indent, default=dict, ensure_ascii=False)
    return re.sub(r"[^\x20-\x7e\n]", lambda found: f"\\U{ord(found[0]):08x}", text)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "from_json": from_json,
    "from_yaml": from_yaml,
    "from_yaml_all": from_yaml_all,
    "to_json": to_json,
    "to_nice_json": to_nice_json,
    "to_nice_yaml": to_nice_yaml,
    "to_yaml": to_yaml,
    "yaml": yaml,
}
