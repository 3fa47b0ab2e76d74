"""View models: what a page shows of an entity, ready to print. Templates know nothing else of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pyoxigraph import Literal

from tracktwo.namespaces import ALTERNATIVES, DCTERMS, LABELS

if TYPE_CHECKING:  # pictures are drawn of values, and views hold pictures
    from tracktwo.pictures import Picture

_FACTS = 3
_FACT_TEXT = 70  # characters
_SHORT_KINDS = ("iri", "day", "literal", "truth")
_NO_FACTS = {property_.value for property_ in (*LABELS, *ALTERNATIVES, DCTERMS.source)}


@dataclass(frozen=True)
class Source:
    """Who says so: a named graph with its number on the page, its label, and the source it speaks for.

    The number is 0 off a page, and for what is inferred, which is marked and not counted.
    """

    number: int
    graph: str
    label: str
    url: str
    inferred: bool
    language: str = ""


@dataclass(frozen=True)
class Value:
    """One value of a property, ready to print: text, and a link where there is one to follow.

    `kind` is `iri`, `literal`, `day` (a date or a part of one), `truth`, `list` (with `items`) or `node` (a blank node,
    with `rows`). `why` is the page that tells from what the statement follows, where it only follows.
    """

    kind: str
    text: str
    iri: str = ""
    url: str = ""
    language: str = ""
    datatype: str = ""
    datatype_iri: str = ""
    sources: tuple[Source, ...] = ()
    items: tuple["Value", ...] = ()
    rows: tuple["Row", ...] = ()
    why: str = ""

    @property
    def inferred(self) -> bool:
        """Does the statement only follow, without anyone saying it?"""
        return bool(self.sources) and all(source.inferred for source in self.sources)


@dataclass(frozen=True)
class TableRow:
    """One entity of a table, and in each column its values, none where nothing is known."""

    head: Value
    cells: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Table:
    """Entities of one class side by side: what the class is called, the columns with their languages, the rows."""

    label: str
    language: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class Near:
    """An entity that a page links to: what it is, from when to when it lasted, and the others of them it links to.

    `start` and `end` are dates as they are written, empty where they are not known; `group` is its class's label.
    """

    value: Value
    group: str
    start: str
    end: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A property and its values, none where the shapes expect some and nothing is known.

    `disputed` says that there are more values than the shapes expect: sources disagree. `tables` show those of the
    values that are entities with something to say in columns.
    """

    iri: str
    label: str
    url: str
    values: tuple[Value, ...]
    language: str = ""
    disputed: bool = False
    tables: tuple[Table, ...] = ()

    def shown(self, languages: Sequence[str]) -> tuple[Value, ...]:
        """The values that a reader of these languages is shown first: texts in the best of them, and all else."""
        found = {value.language for value in self.values if value.language}
        best = next((language for language in languages if language in found), "")
        tabled = {row.head.iri for table in self.tables for row in table.rows}
        return tuple(
            value for value in self.values if value.language in ("", best or value.language) and value.iri not in tabled
        )

    def folded(self, languages: Sequence[str]) -> tuple[Value, ...]:
        """The texts in other languages than the one that is shown."""
        found = {value.language for value in self.values if value.language}
        best = next((language for language in languages if language in found), "")
        return tuple(value for value in self.values if best and value.language not in ("", best))


@dataclass(frozen=True)
class Group:
    """Rows under a heading; the shapes' groups in their order, the rest last under none. `query` asks for the same."""

    label: str
    rows: tuple[Row, ...]
    language: str = ""
    query: str = ""


@dataclass(frozen=True)
class Incoming:
    """Links that lead here with one property: how many, the first of them, and the page of all.

    `follows` says that nobody states any of them, and no shape names them. `query` asks for all.
    """

    iri: str
    label: str
    count: int
    values: tuple[Value, ...]
    more: str
    language: str = ""
    follows: bool = False
    query: str = ""
    tables: tuple[Table, ...] = ()

    @property
    def listed(self) -> tuple[Value, ...]:
        """The values that no table shows."""
        tabled = {row.head.iri for table in self.tables for row in table.rows}
        return tuple(value for value in self.values if value.iri not in tabled)


@dataclass(frozen=True)
class Remark:
    """What validation says of an entity: the property it speaks of, if any, and its message with its language."""

    severity: str
    property: str
    text: str
    language: str


@dataclass(frozen=True)
class View:
    """Everything a page shows of one entity.

    `summary` is a text with its language. `derived` are the rows that no shape names and nobody states: they only
    follow from what is shown already. `also` are the labels in other languages; `timeline` is the
    picture (`pictures`) of the entities with dates that the page links to, `hierarchy` that of the wider and the
    narrower ones, where there are some.
    """

    iri: str
    url: str
    anchor: str
    label: str
    language: str
    summary: tuple[str, str]
    types: tuple[Value, ...]
    groups: tuple[Group, ...]
    derived: tuple[Row, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    sources: tuple[Source, ...] = ()
    curie: str = ""
    also: tuple[tuple[str, str], ...] = ()
    remarks: tuple[Remark, ...] = ()
    timeline: "Picture | None" = None
    hierarchy: "Picture | None" = None

    @property
    def facts(self) -> tuple[tuple[Row, Value], ...]:
        """What the header says in place of a summary: the first properties that have one short value, but for names."""
        single = (
            (row, row.values[0])
            for group in self.groups
            for row in group.rows
            if len(row.values) == 1 and row.iri not in _NO_FACTS
        )
        short = ((row, value) for row, value in single if value.kind in _SHORT_KINDS and len(value.text) <= _FACT_TEXT)
        return tuple(islice(((row, value) for row, value in short if value.text != self.label), _FACTS))

    @property
    def turtle(self) -> str:
        """One line of Turtle that names the entity."""
        return f"<{self.iri}> rdfs:label {Literal(self.label, language=self.language or None)} ."

    @property
    def same_as(self) -> str:
        """One line of Turtle by which another dataset links one of its own to the entity."""
        return f"<> owl:sameAs <{self.iri}> ."
