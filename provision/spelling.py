"""The nearest right word for a wrong one: what every 'did you mean' of the project asks."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that `word` was probably meant to be, or "" when none is near.

    Near: at most one edit in three letters, and never more than three; a swap of two neighbours is one
    edit. Upper and lower case, '-' and '_' are taken as equal, so 'Kube-Proxy' finds 'kube_proxy'.
    """
    budget = min(3, max(1, len(word) // 3))
    written = _fold(word)
    likely = (other for other in candidates if abs(len(other) - len(word)) <= budget and other != word)
    near = [(distance(written, _fold(other), budget), other) for other in likely]
    return min((pair for pair in near if pair[0] <= budget), default=(0, ""))[1]


def suggestion(word: str, candidates: Iterable[str]) -> str:
    """A sentence for the `do` of an error: "Did you mean 'X'?", or "" when nothing is near."""
    found = nearest(word, candidates)
    return f"Did you mean '{found}'?" if found else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names as a person reads them: "a, b, c", cut after `most` of them."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def clipped(text: object, most: int = 100) -> str:
    """What somebody wrote, as an error quotes it: on one line, and cut after `most` letters."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(text)[: most + 1])
    return f"{line[:most]}…" if len(line) > most else line


def quoted(text: object) -> str:
    """As `clipped`, in quotes."""
    return f"'{clipped(text)}'"


def distance(left: str, right: str, most: int | None = None) -> int:
    """How many letters must be added, dropped, changed or swapped with their neighbour (optimal string alignment).

    most: more than that is not counted to its end.
    """
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        here = [row]
        for column, other in enumerate(right, 1):
            cost = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        if most is not None and min(here) > most and min(above) > most:
            return most + 1
        before, above = above, here
    return above[-1]


def _fold(word: str) -> str:
    return word.lower().replace("-", "_")
