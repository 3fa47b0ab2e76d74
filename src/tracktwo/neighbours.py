"""The entities around one: side by side in tables, when they lasted, and how they are linked among themselves.

Columns are what the shapes of their class put first; nothing here knows what the publication is about.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad

from tracktwo.dates import DATES, ENDS, SPANS, STARTS, precise
from tracktwo.drawing import Describing, kind_of
from tracktwo.fields import Field, fields_of
from tracktwo.footnotes import Footnotes
from tracktwo.namespaces import ALTERNATIVES, DCTERMS, LABELS, PROV, RDF, SUMMARIES, XSD
from tracktwo.terms import graph_of, name_of
from tracktwo.view import Near, Source, Table, TableRow, Value

_COLUMNS = 5
_CELL_VALUES = 3  # a property with more is no column
_CELL_TEXT = 60  # characters of the longest text of a column

#: What a column would only say again, or say of the page and not of its entity.
_NO_COLUMNS = {
    property_.value
    for property_ in (*LABELS, *ALTERNATIVES, *SUMMARIES, RDF.type, DCTERMS.source, PROV.hadPrimarySource)
}

#: Subject, property, object, and the graphs that hold the statement.
_Statements = Mapping[str, Mapping[str, Mapping[Any, Sequence[str]]]]


@dataclass(frozen=True)
class _Column:
    """A column: its label with its language, and the property that it shows, or the two ends of a time."""

    label: tuple[str, str]
    properties: tuple[str, ...]


class Neighbourhood:
    """The entities that the page of `me` shows, `linked` by their IRIs, and what is said of them."""

    def __init__(
        self,
        me: str,
        linked: Mapping[str, Value],
        quads: Sequence[Quad],
        footnotes: Footnotes,
        describer: Describing,
    ) -> None:
        self._me, self._describer, self.footnotes = me, describer, footnotes
        self._values = dict(linked)
        self._said = _by_subject(quads)
        mentioned = {
            iri
            for said in self._said.values()
            for property_, objects in said.items()
            for iri in (property_, *(term.value for term in objects if isinstance(term, NamedNode)))
        }
        self._labels = describer.catalog.known(mentioned)[0] if mentioned else {}

    @cached_property
    def near(self) -> tuple[Near, ...]:
        """All of them, with their dates and with their links among themselves."""
        return tuple(
            Near(
                value,
                self._label_of_class(iri),
                min(self._dates(iri, STARTS), default=""),
                max(self._dates(iri, ENDS), default=""),
                tuple(sorted({other for other in self._targets(iri) if other in self._values and other != iri})),
            )
            for iri, value in self._values.items()
        )

    def tables(self, values: Sequence[Value]) -> tuple[Table, ...]:
        """The values in tables, one for each class of which there are several; those with nothing to say in none."""
        by_class: dict[str, list[Value]] = {}
        for value in values:
            if value.iri in self._values and (class_ := self._class(value.iri)):
                by_class.setdefault(class_, []).append(value)
        made = (self._table(class_, some) for class_, some in by_class.items() if len(some) > 1)
        return tuple(table for table in made if table is not None)

    def _table(self, class_: str, values: Sequence[Value]) -> Table | None:
        iris = [value.iri for value in values]
        columns = self._fullest(list(self._columns(iris)), iris)
        own = {row["path"] for row in self._describer.layout[class_]}
        if not any(own.intersection(column.properties) for column in columns):
            return None  # what is said of every kind of thing alike makes no table worth reading
        rows = (TableRow(value, tuple(self._cell(value.iri, column) for column in columns)) for value in values)
        return Table(*self._named(class_), tuple(column.label for column in columns), tuple(rows))

    def _fullest(self, columns: Sequence[_Column], iris: Sequence[str]) -> list[_Column]:
        """The columns that say something of the most entities, in the shapes' order."""

        def blanks(column: _Column) -> int:
            return sum(not any(self._objects(iri, path) for path in column.properties) for iri in iris)

        chosen = sorted(columns, key=blanks)[:_COLUMNS]
        return [column for column in columns if column in chosen]

    def _columns(self, iris: Sequence[str]) -> Iterator[_Column]:
        """What shapes put first and what is said of enough of the entities.

        The two ends of a time are one column; what only adds to a property that has a column has none.
        """
        classes = sorted({class_ for iri in iris for class_ in self._types(iri)})
        fields = [field for field in fields_of(self._describer.layout, classes) if not field.inverse]
        by_path = {field.path: field for field in fields}
        told: set[str] = set()
        for field in fields:
            ends = [path for path in _ends_of(field.path) if path in by_path]
            if field.path in told or field.part in told or not self._is_column(ends, iris):
                continue
            told |= {*ends, *(by_path[path].part for path in ends if by_path[path].part)}
            given = [path for path in ends if any(self._objects(iri, path) for iri in iris)]
            yield _Column(self._label(by_path[given[0]]) if len(given) == 1 else (self._when, ""), tuple(given))

    @cached_property
    def _when(self) -> str:
        return self._describer.say("when")

    def _label(self, field: Field) -> tuple[str, str]:
        return self._describer.pick(field.names) or self._named(field.path)

    def _is_column(self, properties: Sequence[str], iris: Sequence[str]) -> bool:
        """Is one of the properties said of at least half of the entities, and shortly?"""
        if not _NO_COLUMNS.isdisjoint(properties):
            return False
        said = [[self._objects(iri, property_) for property_ in properties] for iri in iris]
        short = all(
            len(objects) <= _CELL_VALUES and all(map(self._is_short, objects)) for ends in said for objects in ends
        )
        return short and 2 * len([ends for ends in said if any(ends)]) >= len(iris)

    def _objects(self, iri: str, property_: str) -> list[Any]:
        """What is said of an entity; that the page itself is meant goes without saying."""
        return [term for term in self._said.get(iri, {}).get(property_, ()) if name_of(term) != self._me]

    def _cell(self, iri: str, column: _Column) -> tuple[Value, ...]:
        ends = [self._cell_values(iri, property_) for property_ in column.properties]
        if len(ends) == 1:
            return tuple(ends[0])
        return tuple(_span(start, end) for start, end in zip_longest(*ends, fillvalue=Value("day", "")))

    def _cell_values(self, iri: str, property_: str) -> list[Value]:
        """The values in order; of dates that agree, the most precise."""
        objects = self._objects(iri, property_)
        days = precise([term.value for term in objects if _is_date(term)])
        kept = [term for term in objects if not _is_date(term) or term.value in days]
        return sorted((self._value(iri, property_, term) for term in kept), key=lambda value: value.text)

    def _value(self, iri: str, property_: str, term: Any) -> Value:
        sources = self.footnotes.of(self._said[iri][property_][term])
        made = self._plain(term, sources)
        return replace(made, why=self._describer.why_url(iri, property_, made)) if made.inferred else made

    def _plain(self, term: Any, sources: tuple[Source, ...]) -> Value:
        if isinstance(term, NamedNode):
            return self._describer.reference(term.value, self._labels, sources)
        if isinstance(term, Literal):
            plain = term.language or term.datatype == XSD.string
            iri = "" if plain else term.datatype.value
            return Value(kind_of(term), term.value, language=term.language or "", datatype_iri=iri, sources=sources)
        return Value("literal", str(term), sources=sources)

    def _class(self, iri: str) -> str:
        """The class with the fewest members of those that shapes lay out; none where no shape does."""
        laid = self._types(iri) & self._describer.layout.keys()
        known = [row for row in self._describer.catalog.classes() if row.iri in laid]
        return min(known, key=lambda row: (not row.stated, row.members, row.iri)).iri if known else ""

    def _types(self, iri: str) -> set[str]:
        return {term.value for term in self._said.get(iri, {}).get(RDF.type.value, ()) if isinstance(term, NamedNode)}

    def _label_of_class(self, iri: str) -> str:
        class_ = self._class(iri)
        return self._named(class_)[0] if class_ else ""

    def _dates(self, iri: str, properties: Sequence[NamedNode]) -> list[str]:
        """The dates that the first of the properties gives that gives any, the most precise of them only."""
        found = (
            [term.value for term in self._said.get(iri, {}).get(property_.value, ()) if _is_date(term)]
            for property_ in properties
        )
        dates = next(filter(None, found), [])
        return [date for date in dates if len(date) == max(map(len, dates))]

    def _targets(self, iri: str) -> list[str]:
        said = self._said.get(iri, {})
        return [term.value for objects in said.values() for term in objects if isinstance(term, NamedNode)]

    def _is_short(self, term: Any) -> bool:
        """Can it be read in a cell? An address can't."""
        if isinstance(term, NamedNode):
            return term.value in self._labels
        return isinstance(term, Literal) and len(term.value) <= _CELL_TEXT and term.datatype != XSD.anyURI

    def _named(self, iri: str) -> tuple[str, str]:
        return self._describer.label(iri, self._labels)


def _ends_of(path: str) -> tuple[str, ...]:
    """Both ends of the time of which a property gives one, else the property alone."""
    spans = (tuple(end.value for end in span) for span in SPANS)
    return next((span for span in spans if path in span), (path,))


def _span(start: Value, end: Value) -> Value:
    """A time from its first to its last day; a single day, told once, where both are the same."""
    if start.text == end.text:
        return replace(start, sources=tuple(dict.fromkeys((*start.sources, *end.sources))))
    return Value("span", " – ".join(filter(None, (start.text, end.text))), items=(start, end))


def _by_subject(quads: Sequence[Quad]) -> _Statements:
    """The statements by what they say, each with the graphs in which it stands."""
    found: dict[str, dict[str, dict[Any, list[str]]]] = {}
    for quad in quads:
        if isinstance(quad.subject, NamedNode):
            said = found.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, {})
            said.setdefault(quad.object, []).append(graph_of(quad))
    return found


def _is_date(term: Any) -> bool:
    return isinstance(term, Literal) and term.datatype in DATES
