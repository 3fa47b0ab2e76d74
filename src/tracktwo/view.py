"""View models: what a page shows of an entity, ready to print. Templates know nothing else of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import Literal

from tracktwo.namespaces import ALTERNATIVES, DCTERMS, LABELS, OWL, RDFS

if TYPE_CHECKING:  # pictures are drawn of values, and views hold pictures
    from tracktwo.pictures import Picture

_FACTS = 3
_FACT_TEXT = 70  # characters
_SHORT_KINDS = ("iri", "day", "literal", "truth")
_YOURS = "https://example.org/yours"  # RFC 2606
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

    `kind` is `iri`, `literal`, `day` (a date or a part of one), `truth`, `list` (with `items`), `node` (a blank node,
    with `rows`) or `span` (a time, whose `items` are the days on which it began and ended, without text where one is
    not known). `named` says that the text of an IRI is its label. `why` is the page that tells from what the
    statement follows, where it only follows.
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
    named: bool = False

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
    values that are entities with something to say in columns. `further` are rows that only add to this one, under a
    label of their own with its language.
    """

    iri: str
    label: str
    url: str
    values: tuple[Value, ...]
    language: str = ""
    disputed: bool = False
    tables: tuple[Table, ...] = ()
    further: tuple["Row", ...] = ()
    further_label: tuple[str, str] = ("", "")

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
class Incoming:
    """Links that lead here with one property: how many, the first of them, and the page of all.

    `follows` says that nobody states any of them, and no shape names them. Where they are those `of` one class, others
    come by the same property. `query` asks for all.
    """

    iri: str
    label: str
    count: int
    values: tuple[Value, ...]
    more: str
    language: str = ""
    follows: bool = False
    query: str = ""
    of: str = ""
    tables: tuple[Table, ...] = ()

    @property
    def listed(self) -> tuple[Value, ...]:
        """The values that no table shows."""
        tabled = {row.head.iri for table in self.tables for row in table.rows}
        return tuple(value for value in self.values if value.iri not in tabled)


@dataclass(frozen=True)
class Group:
    """Rows and links under a heading; the shapes' groups in their order, the rest last under none.

    `links` lead here from elsewhere. `follows` are rows that only follow from these links and say the same. `query`
    asks for the same as all rows.
    """

    label: str
    rows: tuple[Row, ...]
    language: str = ""
    query: str = ""
    links: tuple[Incoming, ...] = ()
    follows: tuple[Row, ...] = ()

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """All of its rows, those that are folded at first, too."""
        return (*(one for row in self.rows for one in (row, *row.further)), *self.follows)


@dataclass(frozen=True)
class Remark:
    """What validation says of an entity: the property it speaks of, if any, and its message with its language.

    `text` says what is the matter, `advice` what a curator can do about it: what stands behind the first colon.
    """

    severity: str
    property: str
    text: str
    language: str
    advice: str = ""


@dataclass(frozen=True)
class View:
    """Everything a page shows of one entity.

    `summary` is a text with its language. `types` are the classes that somebody states or shapes lay out. `derived`
    are the rows that no shape names and nobody states: they only follow from what is shown already. `incoming` are
    the links that lead here and stand in no group. `also` are the labels in other languages; `timeline` is the
    picture (`pictures`) of the entities with dates that the page links to, `hierarchy` that of the wider and the
    narrower ones, where there are some, and `drawn` are the links that it shows.
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
    drawn: tuple[Incoming, ...] = ()

    @property
    def links(self) -> tuple[Incoming, ...]:
        """All links that lead here."""
        return (*(link for group in self.groups for link in group.links), *self.drawn, *self.incoming)

    @property
    def facts(self) -> tuple[tuple[Row, Value], ...]:
        """What the header says in place of a summary: the first properties that have one short value, but for names.

        An IRI without a label tells a reader nothing, and what is said once is not said again.
        """
        said = {self.label, self.summary[0]}
        found = []
        for row in (row for group in self.groups for row in group.rows if row.iri not in _NO_FACTS):
            if len(row.values) == 1 and _is_fact(value := row.values[0]) and value.text not in said:
                said.add(value.text)
                found.append((row, value))
        return tuple(found[:_FACTS])

    @property
    def turtle(self) -> str:
        """One line of Turtle that names the entity; it needs no prefixes."""
        return f"<{self.iri}> {RDFS.label} {Literal(self.label, language=self.language or None)} ."

    @property
    def same_as(self) -> str:
        """One line of Turtle by which another dataset links one of its own, named by a placeholder, to the entity."""
        return f"<{_YOURS}> {OWL.sameAs} <{self.iri}> ."


def _is_fact(value: Value) -> bool:
    """Can it be said in the header, in a few words?"""
    return value.kind in _SHORT_KINDS and len(value.text) <= _FACT_TEXT and (value.named or value.kind != "iri")
