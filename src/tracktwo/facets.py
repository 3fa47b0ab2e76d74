"""Choose among the entities of a class by what they have: facets, their values, and how many entities have each.

The tables stand in the release's catalogue. The entities of a class are numbered in the order of their labels; what has
a value is a set of these numbers, so that a choice is an intersection of sets, its size is known at once, and a value
costs about as much among a million entities as it has of them. Sets are kept as bits, small ones as a list of numbers.
"""

import json
import struct
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from tracktwo.catalog import Reader
from tracktwo.errors import BadRequest, NotFound, Sentence, nearest

SCHEMA = """
CREATE TABLE entry (
    class INTEGER NOT NULL, label INTEGER NOT NULL, node INTEGER NOT NULL,
    links INTEGER NOT NULL, oldest INTEGER, newest INTEGER,
    PRIMARY KEY (class, label)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_by_links ON entry (class, links);
CREATE UNIQUE INDEX entry_by_oldest ON entry (class, oldest) WHERE oldest IS NOT NULL;
CREATE UNIQUE INDEX entry_by_newest ON entry (class, newest) WHERE newest IS NOT NULL;
CREATE TABLE facet (
    id INTEGER PRIMARY KEY, class INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, names TEXT NOT NULL,
    size INTEGER NOT NULL, dates INTEGER NOT NULL, UNIQUE (class, name)
);
CREATE TABLE facet_value (
    id INTEGER PRIMARY KEY, facet INTEGER NOT NULL, place INTEGER NOT NULL, value TEXT NOT NULL, node INTEGER,
    members INTEGER NOT NULL, bits BLOB NOT NULL
);
CREATE UNIQUE INDEX facet_value_by_place ON facet_value (facet, place);
CREATE UNIQUE INDEX facet_value_by_value ON facet_value (facet, value);
CREATE UNIQUE INDEX facet_value_by_node ON facet_value (facet, node) WHERE node IS NOT NULL;
"""

#: The orders of a list: the column that holds an entity's place in it. Those by date are for classes that have one.
ORDERS: Mapping[str, str] = {"label": "label", "links": "links", "oldest": "oldest", "newest": "newest"}

#: How many values of a facet are told of, the most frequent first; of more, only how many there are.
MOST_VALUES = 200

_TOLD = 12
_STATEMENTS = 3  # that the counts of a page may take: one, and one more after each facet that gives up
_LIST, _BITS = b"L", b"B"

_FACETS = """
SELECT facet.id, facet.name, facet.kind, facet.names, facet.size, facet.dates
FROM class JOIN facet ON facet.class = class.node WHERE class.slug = ? ORDER BY facet.id
"""
_CHOSEN = """
SELECT facet, value, node.iri, bits
FROM facet_value LEFT JOIN node ON node.id = facet_value.node
WHERE facet_value.id IN (
    SELECT found.id FROM json_each(?) AS wanted CROSS JOIN facet_value AS found
    ON found.facet = json_extract(wanted.value, '$[0]') AND found.value = json_extract(wanted.value, '$[1]')
    UNION
    SELECT found.id FROM json_each(?) AS wanted
    CROSS JOIN node AS named ON named.iri = json_extract(wanted.value, '$[1]')
    CROSS JOIN facet_value AS found ON found.facet = json_extract(wanted.value, '$[0]') AND found.node = named.id
)
"""
_VALUES = """
SELECT facet, value, node.iri, members, {} FROM facet_value LEFT JOIN node ON node.id = facet_value.node
WHERE facet >= ? AND facet <= ? AND (place < ? OR facet IN (SELECT value FROM json_each(?))) ORDER BY facet, place
"""
_NAMES = "SELECT value FROM facet_value WHERE facet = ? ORDER BY place LIMIT 2000"
_ALL = """
SELECT node.iri, entry.{order}, entry.label FROM entry JOIN node ON node.id = entry.node
WHERE class = (SELECT node FROM class WHERE slug = ?) AND entry.{order} > ? ORDER BY entry.{order} LIMIT ?
"""
_SOME = """
SELECT node.iri, entry.{order} FROM json_each(?) AS wanted
CROSS JOIN entry ON entry.class = (SELECT node FROM class WHERE slug = ?) AND entry.label = wanted.value
JOIN node ON node.id = entry.node
WHERE entry.{order} > ? ORDER BY entry.{order} LIMIT ?
"""


@dataclass(frozen=True)
class Facet:
    """What a class can be chosen by: its name in URLs, its kind, its names, and how many values it has.

    The kind is `iri`, `period`, `boolean` or `choice`.
    The orders `oldest` and `newest` are those of the facet that `dates` the class.
    """

    id: int
    name: str
    kind: str
    names: Mapping[str, str]
    size: int
    dates: bool


@dataclass(frozen=True)
class Value:
    """A value of a facet: its name in URLs, its IRI if it is one, and how many entities have it."""

    name: str
    iri: str
    count: int


@dataclass(frozen=True)
class Tally:
    """The values of one facet that entities have, the most frequent first, and how many values there are besides.

    A facet that `gave_up` had no time to count and has no values to show.
    """

    facet: Facet
    values: Sequence[Value] = ()
    more: int = 0
    gave_up: bool = False


@dataclass(frozen=True)
class Entry:
    """An entity of a list, and its place in the order of the list, after which the next page begins."""

    iri: str
    place: int


class Numbers:
    """A set of numbers from 0, as the bits of one number."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __contains__(self, number: int) -> bool:
        return number < len(self._flags) and self._flags[number] == 1

    def after(self, number: int, limit: int) -> list[int]:
        """The first members above a number, in order."""
        found: list[int] = []
        while len(found) < limit and (number := self._flags.find(1, number + 1)) >= 0:
            found.append(number)
        return found

    def up_to(self, number: int) -> int:
        """How many members are not above a number."""
        return (self.bits & ((1 << (number + 1)) - 1)).bit_count()

    def count(self, packed: bytes) -> int:
        """How many members a packed set shares."""
        if packed[:1] == _BITS:
            return (int.from_bytes(packed[1:], "little") & self.bits).bit_count()
        flags, end = self._flags, len(self._flags)
        return sum(flags[number] for number in _listed(packed) if number < end)

    @cached_property
    def _flags(self) -> bytes:
        """A byte for each number up to the largest member: 1 for members."""
        return bin(self.bits)[:1:-1].encode().translate(bytes.maketrans(b"01", b"\0\1"))


@dataclass(frozen=True)
class Choice:
    """What is chosen: the values of each facet by its name, and the entities that have one of them."""

    values: Mapping[str, Sequence[Value]]
    sets: Mapping[str, Numbers]

    def all(self, *, but: str = "") -> Numbers | None:
        """The entities that fit every facet chosen from, but for one; None where that says nothing."""
        sets = [numbers.bits for name, numbers in self.sets.items() if name != but]
        if not sets:
            return None
        bits = sets[0]
        for other in sets[1:]:
            bits &= other
        return Numbers(bits)


def packed(numbers: Sequence[int]) -> bytes:
    """A sorted set of numbers as bytes: as bits, or as a list where that is shorter."""
    if not numbers or 32 * len(numbers) < numbers[-1]:
        return _LIST + struct.pack(f"<{len(numbers)}I", *numbers)
    return _BITS + _bits(numbers)


class Facets:
    """Read access to the facets of a release; may be used from many threads."""

    def __init__(self, path: Path) -> None:
        self._run = Reader(path).run

    def of(self, class_: str) -> list[Facet]:
        """The facets of a class, which its slug names, in the order of the shapes."""
        return [
            Facet(id_, name, kind, json.loads(names), size, bool(dates))
            for id_, name, kind, names, size, dates in self._run(_FACETS, (class_,))
        ]

    def choose(self, facets: Sequence[Facet], wanted: Mapping[str, Sequence[str]]) -> Choice:
        """The entities that have one of the values wanted of each facet; a value is named as in a URL, or by its IRI.

        Raises `BadRequest` for a facet and `NotFound` for a value that there is not, with the nearest that there is.
        """
        known = {facet.name: facet for facet in facets}
        for name in wanted:
            if name not in known:
                raise BadRequest(
                    Sentence("No facet here is called “%(name)s”.", name=name), hint=_hint(name, list(known))
                )
        pairs = json.dumps([[known[name].id, value] for name, values in wanted.items() for value in values])
        rows = list(self._run(_CHOSEN, (pairs, pairs))) if wanted else []
        found: dict[str, list[Value]] = {}
        sets: dict[str, Numbers] = {}
        for name, values in wanted.items():
            those = sorted(row for row in rows if row[0] == known[name].id)
            for value in values:
                if not any(value in row[1:3] for row in those):
                    raise NotFound(
                        Sentence("“%(value)s” is no value of “%(name)s”.", value=value, name=name),
                        hint=_hint(value, self._names(known[name])),
                    )
            found[name] = [Value(row[1], row[2] or "", 0) for row in those]
            sets[name] = Numbers(_union(row[3] for row in those))
        return Choice(found, sets)

    def tallies(self, facets: Sequence[Facet], choice: Choice, seconds: float) -> list[Tally]:
        """The values of each facet among the entities that the choices from the other facets leave.

        Each facet has so many seconds, then it gives up. Where one has, the rest is asked for anew, but not for ever:
        after a third, those that follow give up, too.
        """
        found: dict[int, Tally] = {}
        left = list(facets)
        for _ in range(_STATEMENTS):
            for tally in self._counted(left, choice, seconds):
                found[tally.facet.id] = tally
                left = [facet for facet in left if facet.id > tally.facet.id]
                if tally.gave_up:
                    break
        return [found.get(facet.id) or Tally(facet, gave_up=True) for facet in facets]

    def entries(self, class_: str, chosen: Numbers | None, order: str, after: int, limit: int) -> list[Entry]:
        """The entities of a class, or those chosen, in one of the orders, after a place in it."""
        column = ORDERS[order]
        if chosen is None:
            rows = self._run(_ALL.format(order=column), (class_, after, limit))
            return [Entry(iri, place) for iri, place, _ in rows]
        if order == "label":
            numbers = chosen.after(after, limit)
        elif len(chosen) ** 2 > limit * chosen.bits.bit_length():  # so many that the first of them are soon met
            walked = self._run(_ALL.format(order=column), (class_, after, -1))
            met = (Entry(iri, place) for iri, place, label in walked if label in chosen)
            return list(islice(met, limit))
        else:
            numbers = chosen.after(-1, len(chosen))
        rows = self._run(_SOME.format(order=column), (json.dumps(numbers), class_, after, limit))
        return [Entry(iri, place) for iri, place in rows]

    def _counted(self, facets: Sequence[Facet], choice: Choice, seconds: float) -> Iterator[Tally]:
        """A tally for each of the facets, which are neighbours in the catalogue."""
        if not facets:
            return
        by_id = {facet.id: facet for facet in facets}
        left = {facet.id: choice.all(but=facet.name) for facet in facets}
        counted = [id_ for id_, numbers in left.items() if numbers is not None]
        column = "bits" if counted else "NULL"
        rows = self._run(_VALUES.format(column), (facets[0].id, facets[-1].id, MOST_VALUES, json.dumps(counted)))
        for id_, some in groupby(rows, key=lambda row: int(row[0])):
            yield _tally(by_id[id_], some, left[id_], time.monotonic() + seconds)

    def _names(self, facet: Facet) -> list[str]:
        return [row[0] for row in self._run(_NAMES, (facet.id,))]


def _tally(facet: Facet, rows: Iterable[Sequence[Any]], left: Numbers | None, until: float) -> Tally:
    """The values of a facet among the entities left, None being all, whose counts the catalogue has."""
    values: list[Value] = []
    for _, name, iri, members, bits in rows:
        if left is not None and time.monotonic() > until:
            return Tally(facet, gave_up=True)
        count = members if left is None else left.count(bits)
        if count:
            values.append(Value(name, iri or "", count))
    if left is not None and facet.kind != "period":
        values.sort(key=lambda value: -value.count)
    all_ = facet.size if left is None else len(values)
    return Tally(facet, values[:MOST_VALUES], max(all_ - MOST_VALUES, 0))


def _hint(name: str, known: Sequence[str]) -> str:
    """What may have been meant, else the first of what there is."""
    return nearest(name, known) or (Sentence("There are: %(names)s.", names=", ".join(known[:_TOLD])) if known else "")


def _listed(packed_: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed_) // 4}I", packed_[1:])


def _bits(numbers: Iterable[int]) -> bytes:
    """Sorted numbers as the bits of a little-endian number."""
    all_ = list(numbers)
    field = bytearray(all_[-1] // 8 + 1 if all_ else 0)
    for number in all_:
        field[number >> 3] |= 1 << (number & 7)
    return bytes(field)


def _union(sets: Iterable[bytes]) -> int:
    bits = 0
    for one in sets:
        bits |= int.from_bytes(one[1:] if one[:1] == _BITS else _bits(_listed(one)), "little")
    return bits
