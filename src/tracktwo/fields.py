"""Fields: what shapes say of how an entity is laid out, and the parts of a page that they lead to."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracktwo.dates import precise
from tracktwo.view import Incoming, Row, Value


@dataclass(frozen=True)
class Field:
    """A property as the shapes present it: its path, direction, names and group's labels by language.

    At `least` so many values are expected, at `most` so many (None for any number). Some properties of a group are a
    `part` of it, named by `part_names`: the one that `heads` it says it all, the others only add to it. A field `of` a
    class is for those values that belong to it, and takes them from the field for all.
    """

    path: str
    inverse: bool
    names: Mapping[str, str]
    group: Mapping[str, str]
    least: int
    most: int | None
    part: str
    part_names: Mapping[str, str]
    of: str
    heads: bool


def fields_of(layout: Mapping[str, Sequence[Mapping[str, Any]]], classes: Iterable[str]) -> list[Field]:
    """The fields that the shapes of some classes name, in order, none twice."""
    rows = [row for class_ in classes for row in layout.get(class_, ())]
    rows.sort(key=lambda row: (row["group_order"], row["order"]))
    fields: dict[tuple[str, bool, str], Field] = {}
    parts: set[str] = set()
    for row in rows:
        said = {name: value for name, value in row.items() if name not in ("order", "group_order")}
        field = Field(**said, heads=bool(row["part"]) and row["part"] not in parts)
        parts.add(row["part"])
        fields.setdefault((field.path, field.inverse, field.of), field)
    return list(fields.values())


class Parts:
    """What a page is made of: the fields of its entity, and the links that lead to it until they are shown."""

    def __init__(self, fields: Sequence[Field], links: Sequence[Incoming]) -> None:
        self.fields = fields
        self.links = {(link.iri, link.of): link for link in links}
        laid = {field_.path for field_ in fields if field_.inverse and field_.group}
        self.laid = Counter({path: sum(link.count for link in links if link.iri == path) for path in laid})


class Section:
    """What will stand under one heading."""

    def __init__(self) -> None:
        self.rows: list[tuple[Field | None, Row]] = []
        self.links: list[Incoming] = []
        self.follows: list[Row] = []

    def add(self, field_: Field, row: Row, *, folded: bool) -> None:
        """A row; folded where links of the page say the same."""
        if folded:
            self.follows.append(row)
        else:
            self.rows.append((field_, row))

    def gathered(self, pick: Callable[[Mapping[str, str]], tuple[str, str] | None]) -> tuple[Row, ...]:
        """The rows; where the first property of a part has values, the others of that part stand under its row."""
        heads = {
            field_.part: place
            for place, (field_, row) in enumerate(self.rows)
            if field_ and field_.heads and row.values
        }
        under: dict[int, list[Row]] = {}
        for place, (field_, row) in enumerate(self.rows):
            head = heads.get(field_.part, place) if field_ and field_.part else place
            under.setdefault(head, []).append(row)
        labels = {heads[field_.part]: field_.part_names for field_, _ in self.rows if field_ and field_.part in heads}
        return tuple(
            replace(first, further=tuple(further), further_label=pick(labels.get(place, {})) or ("", ""))
            for place, (first, *further) in under.items()
        )


def follows(row: Row) -> bool:
    """Does nobody state any of the row's values?"""
    return bool(row.values) and all(value.inferred for value in row.values)


def disputed(values: Sequence[Value], field_: Field | None) -> bool:
    """Are there more values than the shapes expect, texts in each language counted by themselves?

    A year does not dispute a day in it: dates count once that only differ in how precise they are.
    """
    if field_ is None or field_.most is None:
        return False
    days = precise([value.text for value in values if value.kind == "day"])
    others = Counter(value.language for value in values if value.kind != "day")
    return max(len(days), *others.values(), 0) > field_.most
