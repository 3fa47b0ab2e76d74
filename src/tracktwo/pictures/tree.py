"""Trees: what is below what, as branches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tracktwo.pictures.labels import Entry, Row, entry, key

_LEVELS = 30
_PLACES = ("child", "parent")


@dataclass(frozen=True)
class Branch:
    """An entry and the branches below it; where `again`, they are left out, for they stand where it stood first."""

    entry: Entry
    below: tuple["Branch", ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Tree:
    """The branches that are below nothing; `shown` of `total` rows are drawn, and no more than some levels."""

    roots: tuple[Branch, ...]
    shown: int
    total: int
    kind: str = "tree"


def tree(rows: Sequence[Row], total: int) -> Tree:
    """The tree in which each `child` is below its `parent`s, in the rows' order; further columns are its notes.

    What is below nothing but itself stands at the top, too.
    """
    entries = _entries(rows)
    below: dict[str, list[str]] = {}
    for row in rows:
        if "child" in row and "parent" in row:
            below.setdefault(key(row["parent"]), []).append(key(row["child"]))
    below = {parent: list(dict.fromkeys(children)) for parent, children in below.items()}
    seen: set[str] = set()
    roots = [_branch(name, entries, below, seen, 1) for name in _tops(entries, below)]
    return Tree(tuple(roots), len(rows), total)


def _entries(rows: Iterable[Row]) -> dict[str, Entry]:
    """Each child and parent, by what it is; what the first row on it as a child says is what is noted of it."""
    children: dict[str, Entry] = {}
    parents: dict[str, Entry] = {}
    for row in rows:
        if "child" in row:
            children.setdefault(key(row["child"]), entry(row, "child", _PLACES))
        if "parent" in row:
            parents.setdefault(key(row["parent"]), Entry(row["parent"]))
    return {**children, **{name: alone for name, alone in parents.items() if name not in children}}


def _tops(entries: Iterable[str], below: Mapping[str, Sequence[str]]) -> list[str]:
    """Where to begin, so that everything is reached: what is below nothing, then one of each circle."""
    inner = {child for children in below.values() for child in children}
    names = list(entries)
    found: list[str] = []
    reached: set[str] = set()
    for name in [*(name for name in names if name not in inner), *names]:
        if name not in reached:
            found.append(name)
            reached |= _reached(name, below)
    return found


def _reached(name: str, below: Mapping[str, Sequence[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        fresh = [child for child in below.get(waiting.pop(), ()) if child not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _branch(
    name: str, entries: Mapping[str, Entry], below: Mapping[str, Sequence[str]], seen: set[str], level: int
) -> Branch:
    children = below.get(name, ())
    if (name in seen and children) or level > _LEVELS:
        return Branch(entries[name], again=bool(children))
    seen.add(name)
    return Branch(entries[name], tuple(_branch(child, entries, below, seen, level + 1) for child in children))
