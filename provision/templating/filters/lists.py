"""Filters on lists and mappings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, pass_environment

_NULLS = ("None", "null")


def flatten(items: Iterable[Any], levels: int | None = None, skip_nulls: bool = True) -> list[Any]:
    """The items of the lists inside, too, `levels` deep (None: all of them), without those that are null."""
    flat: list[Any] = []
    for item in items:
        if skip_nulls and (item is None or (isinstance(item, str) and item in _NULLS)):
            continue
        if isinstance(item, (list, tuple)) and (levels is None or levels >= 1):
            flat += flatten(item, None if levels is None else levels - 1, skip_nulls)
        else:
            flat.append(item)
    return flat


def combine(*terms: Any, recursive: bool = False, list_merge: str = "replace") -> Any:
    """Mappings (or lists of them) joined, the later one wins; recursive: mappings inside are joined too.

    list_merge: what becomes of two lists of one name. Raises ValueError for what is no mapping.
    """
    if list_merge not in _MERGES:
        raise ValueError(f"list_merge is one of {', '.join(_MERGES)}, not {list_merge!r}")
    mappings = flatten(terms, levels=1)
    for mapping in mappings:
        if not isinstance(mapping, Mapping):
            raise ValueError(f"combine joins mappings, and this is {type(mapping).__name__}")
    if not mappings:
        return {}
    # as in Ansible from the last to the first: what is the same in two that are joined is there once
    *rest, joined = mappings
    for mapping in reversed(rest):
        joined = _joined(mapping, joined, recursive, list_merge)
    return joined


def _joined(below: Mapping[Any, Any], above: Mapping[Any, Any], recursive: bool, list_merge: str) -> dict[Any, Any]:
    if below == above:
        return dict(above)
    made = dict(below)
    for key, value in above.items():
        known = made.get(key)
        if recursive and isinstance(known, Mapping) and isinstance(value, Mapping):
            made[key] = _joined(known, value, recursive, list_merge)
        elif isinstance(known, list) and isinstance(value, list):
            made[key] = _MERGES[list_merge](known, value)
        else:
            made[key] = value
    return made


# rp: an item that both have stays only where the later list puts it
_MERGES: Mapping[str, Callable[[list[Any], list[Any]], list[Any]]] = {
    "replace": lambda below, above: above,
    "keep": lambda below, above: below,
    "append": lambda below, above: below + above,
    "prepend": lambda below, above: above + below,
    "append_rp": lambda below, above: [each for each in below if each not in above] + above,
    "prepend_rp": lambda below, above: above + [each for each in below if each not in above],
}


def _distinct(items: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    try:
        return list(dict.fromkeys(items))
    except TypeError:  # mappings and lists have no hash
        for item in items:
            if item not in kept:
                kept.append(item)
        return kept


def union(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in either list, each once, in order."""
    return _distinct([*left, *right])


def difference(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in `left` and not in `right`, each once, in order."""
    without = list(right)
    return _distinct([item for item in left if item not in without])


def intersect(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in both lists, each once, in the order of `left`."""
    other = list(right)
    return _distinct([item for item in left if item in other])


def symmetric_difference(left: Iterable[Any], right: Iterable[Any]) -> list[Any]:
    """What is in one of the lists only, each once, in order."""
    one, other = list(left), list(right)
    return difference(one, other) + difference(other, one)


@pass_environment
def extract(environment: Environment, key: Any, container: Any, morekeys: Any = None) -> Any:
    """`container[key]`, and what `morekeys` name below it: made for `hosts | map('extract', hostvars, 'x')`."""
    more = [] if morekeys is None else morekeys if isinstance(morekeys, list) else [morekeys]
    value = container
    for each in (key, *more):
        value = environment.getitem(value, each)
    return value


def dict2items(mapping: Any, key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    """Each entry as a mapping of its own: `{a: 1}` as `[{key: a, value: 1}]`. Raises TypeError."""
    if not isinstance(mapping, Mapping):
        raise TypeError(f"dict2items needs a mapping, and this is {type(mapping).__name__}")
    return [{key_name: key, value_name: mapping[key]} for key in mapping]


def items2dict(items: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    """The opposite of dict2items. Raises TypeError."""
    if not isinstance(items, (list, tuple)) or not all(
        isinstance(item, Mapping) and key_name in item and value_name in item for item in items
    ):
        raise TypeError(f"items2dict needs a list of mappings that hold '{key_name}' and '{value_name}'")
    return {item[key_name]: item[value_name] for item in items}


def subelements(things: Any, names: Any, skip_missing: bool = False) -> list[tuple[Any, Any]]:
    """Each thing together with each item of the list in it that `names` (`keys`, `a.b`) leads to. Raises ValueError."""
    pairs: list[tuple[Any, Any]] = []
    for thing in things.values() if isinstance(things, Mapping) else things:
        found: Any = thing
        for name in names.split(".") if isinstance(names, str) else names:
            if not isinstance(found, Mapping) or name not in found:
                if isinstance(found, Mapping) and skip_missing:
                    found = []
                    break
                raise ValueError(f"there is no list '{name}' in every item")
            found = found[name]
        if not isinstance(found, list):
            raise ValueError(f"'{names}' is not a list in every item")
        pairs += [(thing, item) for item in found]
    return pairs


def rekey_on_member(things: Any, key: str, duplicates: str = "error") -> dict[Any, Any]:
    """Mappings by what each holds under `key`. Raises ValueError for two of one name, unless `overwrite` is said."""
    made: dict[Any, Any] = {}
    for thing in things.values() if isinstance(things, Mapping) else things:
        if thing[key] in made and duplicates != "overwrite":
            raise ValueError(f"two items have the {key} {thing[key]!r}")
        made[thing[key]] = thing
    return made


def product(*lists: Sequence[Any], repeat: int = 1) -> list[tuple[Any, ...]]:
    """Every combination of one item of each list."""
    return list(itertools.product(*lists, repeat=repeat))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "combinations": itertools.combinations,
    "combine": combine,
    "dict2items": dict2items,
    "difference": difference,
    "extract": extract,
    "flatten": flatten,
    "intersect": intersect,
    "items2dict": items2dict,
    "permutations": itertools.permutations,
    "product": product,
    "rekey_on_member": rekey_on_member,
    "subelements": subelements,
    "symmetric_difference": symmetric_difference,
    "union": union,
    "zip": zip,
    "zip_longest": itertools.zip_longest,
}
