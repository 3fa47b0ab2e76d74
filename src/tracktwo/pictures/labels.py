"""What all pictures share: the rows they are drawn from, and how wide a text is."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from tracktwo.view import Value

#: What is kept free between two things, in pixels.
GAP = 6.0

_LETTER = 0.6  # of a letter's height: how wide one is, on the generous side; one of a wide script twice that

#: A row of a query's answer: by column what it has a value of.
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Entry:
    """Something as text, with what the further columns of its rows say of it, each with the column's name."""

    item: Value
    notes: tuple[tuple[str, Value], ...] = ()


def key(value: Value) -> str:
    """What two values that mean the same have in common."""
    return value.iri or value.text


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Rows without those that say just what one before them says."""
    return list({tuple((name, key(value)) for name, value in row.items()): row for row in rows}.values())


def entry(row: Row, name: str, placed: Iterable[str]) -> Entry:
    """A row's value in one column, with those in the columns that do not say where it is placed."""
    apart = {name, *placed}
    return Entry(row[name], tuple((other, value) for other, value in row.items() if other not in apart))


def text_width(text: str, height: float) -> float:
    """About how wide a label in letters of some height is."""
    return _LETTER * height * sum(map(_breadth, text))


def clipped(text: str, most: int) -> str:
    """A text on one line, with an ellipsis for what is over `most` letters; one of a wide script counts as two."""
    line = " ".join(text.split())
    if sum(map(_breadth, line)) <= most:
        return line
    reach = list(accumulate(map(_breadth, line)))
    return line[: bisect_right(reach, most - 1)].rstrip() + "…"


def wrapped(text: str, most: int, lines: int) -> tuple[str, ...]:
    """A text on a few lines of at most so many letters each, broken between words; the last one is `clipped`."""
    words = text.split()
    found: list[str] = []
    while len(found) < lines - 1 and len(words) > 1:
        reach = list(accumulate(sum(map(_breadth, word)) + 1 for word in words))
        taken = max(bisect_right(reach, most + 1), 1)
        found.append(clipped(" ".join(words[:taken]), most))
        words = words[taken:]
    return (*found, clipped(" ".join(words), most)) if words or not found else tuple(found)


def _breadth(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
