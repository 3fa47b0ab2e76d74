"""The entities around one: side by side in tables, when they lasted, and how they are linked among themselves.

One look-up gets the statements of all of them, and one their labels. Columns are what the shapes of their class put
first; nothing here knows what the publication is about.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from pyoxigraph import Literal, NamedNode, Quad

from tracktwo.catalog import Catalog
from tracktwo.namespaces import ALTERNATIVES, DCTERMS, LABELS, PROV, RDF, SCHEMA, SUMMARIES, XSD
from tracktwo.store import Store
from tracktwo.view import Near, Table, TableRow, Value

_NEIGHBOURS = 120  # of one entity that are looked at
_COLUMNS = 5
_CELL_VALUES = 3  # a property with more is no column
_CELL_TEXT = 60  # characters of the longest text of a column
_DATES = (XSD.date, XSD.dateTime, XSD.gYear, XSD.gYearMonth)

#: Which properties say when something began, or happened, and when it ended; best first.
_STARTS = (SCHEMA.startDate, PROV.startedAtTime, DCTERMS.date, DCTERMS.issued, SCHEMA.datePublished, DCTERMS.created)
_ENDS = (SCHEMA.endDate, PROV.endedAtTime)

#: What a column would only say again, or say of the page and not of its entity.
_NO_COLUMNS = {
    property_.value
    for property_ in (*LABELS, *ALTERNATIVES, *SUMMARIES, RDF.type, DCTERMS.source, PROV.hadPrimarySource)
}

_Statements = Mapping[str, Mapping[str, Sequence[Any]]]


class Describing(Protocol):
    """What tables and pictures need of whoever describes entities."""

    store: Store
    catalog: Catalog
    layout: Mapping[str, Sequence[Mapping[str, Any]]]

    def label(self, iri: str, labels: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
        """(text, language) to show for an IRI."""

    def pick(self, texts: Mapping[str, str]) -> tuple[str, str] | None:
        """(text, language) in the language that the reader likes best."""

    def url(self, iri: str) -> str:
        """Where to go for an IRI."""


class Neighbourhood:
    """The entities that the page of `me` links to, the first of them where they are many."""

    def __init__(self, me: str, linked: Mapping[str, Value], describer: Describing) -> None:
        self._me, self._describer = me, describer
        self._values = dict(list(linked.items())[:_NEIGHBOURS])
        self._said = _by_subject(describer.store.describe([NamedNode(iri) for iri in self._values]))
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
                min(self._dates(iri, _STARTS), default=""),
                max(self._dates(iri, _ENDS), default=""),
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
        fields = [field for field in self._describer.layout[class_] if self._is_column(field, iris)][:_COLUMNS]
        if not fields:
            return None
        names = (self._describer.pick(field["names"]) or self._named(field["path"]) for field in fields)
        rows = (TableRow(value, tuple(self._cell(value.iri, field["path"]) for field in fields)) for value in values)
        return Table(*self._named(class_), tuple(names), tuple(rows))

    def _is_column(self, field: Mapping[str, Any], iris: Sequence[str]) -> bool:
        """Is a property said of at least half of the entities, and shortly, and does it not just lead back here?"""
        if field["inverse"] or field["path"] in _NO_COLUMNS:
            return False
        said = [objects for iri in iris if (objects := self._said.get(iri, {}).get(field["path"]))]
        leads_back = all(term == NamedNode(self._me) for objects in said for term in objects)
        short = all(len(objects) <= _CELL_VALUES and all(map(self._is_short, objects)) for objects in said)
        return 2 * len(said) >= len(iris) and short and not leads_back

    def _cell(self, iri: str, property_: str) -> tuple[Value, ...]:
        made = (self._value(term) for term in self._said.get(iri, {}).get(property_, ()))
        return tuple(sorted(made, key=lambda value: value.text))

    def _value(self, term: Any) -> Value:
        if isinstance(term, NamedNode):
            text, language = self._named(term.value)
            return Value("iri", text, term.value, self._describer.url(term.value), language)
        if isinstance(term, Literal):
            return Value(kind_of(term), term.value, language=term.language or "")
        return Value("literal", str(term))

    def _class(self, iri: str) -> str:
        """The class with the fewest members of those that shapes lay out; none where no shape does."""
        types = {term.value for term in self._said.get(iri, {}).get(RDF.type.value, ()) if isinstance(term, NamedNode)}
        known = [row for row in self._describer.catalog.classes() if row.iri in types & self._describer.layout.keys()]
        return min(known, key=lambda row: (not row.stated, row.members, row.iri)).iri if known else ""

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


def kind_of(literal: Literal) -> str:
    """The kind of the `Value` that shows a literal."""
    if literal.datatype == XSD.boolean:
        return "truth"
    return "day" if literal.datatype in _DATES else "literal"


def _by_subject(quads: Sequence[Quad]) -> _Statements:
    """Subject, property, objects; each statement once, in whichever graphs it stands."""
    found: dict[str, dict[str, list[Any]]] = {}
    for triple in dict.fromkeys(quad.triple for quad in quads):
        if isinstance(triple.subject, NamedNode):
            found.setdefault(triple.subject.value, {}).setdefault(triple.predicate.value, []).append(triple.object)
    return found


def _is_date(term: Any) -> bool:
    return isinstance(term, Literal) and term.datatype in _DATES
