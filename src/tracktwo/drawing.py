"""From statements to the view of an entity: rows in the shapes' groups and order, links that lead here, who says so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from tracktwo import catalog
from tracktwo.catalog import Catalog
from tracktwo.dates import DATES
from tracktwo.fields import Field, Parts, Section, disputed, fields_of, follows
from tracktwo.footnotes import Footnotes
from tracktwo.links import Links, clickable
from tracktwo.namespaces import LABELS, RDF, SUMMARIES, XSD
from tracktwo.store import Store
from tracktwo.terms import Node, Term, graph_of, name_of
from tracktwo.view import Group, Incoming, Row, Source, Value, View

_NESTED_LEVELS = 12  # deeper blank nodes are linked, not shown in place


class Describing(Protocol):
    """What drawing a page, and the tables and pictures on it, need of whoever describes entities."""

    store: Store
    catalog: Catalog
    links: Links
    layout: Mapping[str, Sequence[Mapping[str, Any]]]
    inverses: Mapping[str, Sequence[str]]
    inferred_graph: str
    languages: Sequence[str]

    def say(self, text: str, /) -> str:
        """Our own words in the reader's language."""

    def label(self, iri: str, labels: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
        """(text, language) to show for an IRI."""

    def pick(self, texts: Mapping[str, str]) -> tuple[str, str] | None:
        """(text, language) in the language that the reader likes best."""

    def reference(self, iri: str, labels: Mapping[str, Mapping[str, str]], sources: tuple[Source, ...] = ()) -> Value:
        """How an IRI is shown, with a link."""

    def short(self, iri: str) -> str:
        """A CURIE where a prefix fits, else the IRI."""

    def curie(self, iri: str) -> str:
        """A CURIE where a prefix fits."""

    def query(self, iri: str, properties: Sequence[str], *, inverse: bool = False, of: str = "") -> str:
        """SPARQL that asks for the values of properties."""

    def url(self, iri: str) -> str:
        """Where to go for an IRI."""

    def why_url(self, subject: str, property_: str, value: Value) -> str:
        """The page that tells why a statement holds."""

    def source(self, graph: str) -> Source:
        """Whom a named graph speaks for."""


def kind_of(literal: Literal) -> str:
    """The kind of the `Value` that shows a literal."""
    if literal.datatype == XSD.boolean:
        return "truth"
    return "day" if literal.datatype in DATES else "literal"


class Drawing:
    """The views of one page: its statements by subject, and the labels of everything they mention.

    `links` are those that lead to the entities of the page, `near` statements about their subjects, which tell who
    says so; `others` are further IRIs whose labels are wanted.
    """

    def __init__(
        self,
        describer: Describing,
        quads: Sequence[Quad],
        links: Mapping[str, Sequence[catalog.Incoming]] = MappingProxyType({}),
        near: Sequence[Quad] = (),
        others: Iterable[str] = (),
    ) -> None:
        self._describer, self._links = describer, links
        self._by_subject: dict[Node, dict[str, dict[Any, list[str]]]] = {}
        mentioned = set(others)
        for quad in quads:
            assert isinstance(quad.subject, (NamedNode, BlankNode))
            values = self._by_subject.setdefault(quad.subject, {}).setdefault(quad.predicate.value, {})
            values.setdefault(quad.object, []).append(graph_of(quad))
            mentioned |= {
                quad.predicate.value,
                *(term.value for term in (quad.subject, quad.object) if isinstance(term, NamedNode)),
            }
        self._leading: dict[tuple[str, str, str], list[str]] = {}  # the graphs of each statement that leads here
        self._classes: dict[str, set[str]] = {}
        for quad in near:
            if quad.predicate == RDF.type:
                self._classes.setdefault(name_of(quad.subject), set()).add(name_of(quad.object))
            if (object_ := name_of(quad.object)) in links:
                key = (name_of(quad.subject), quad.predicate.value, object_)
                self._leading.setdefault(key, []).append(graph_of(quad))
        for found in links.values():
            mentioned |= {iri for link in found for iri in (link.property, *link.first)}
        self._labels, described = describer.catalog.known(mentioned)
        self._nowhere = {iri for iri in mentioned if describer.links.is_thing(iri)} - described
        self.footnotes = Footnotes(describer.source)
        self._nested: set[Node] = set()  # blank nodes that the view shows already: each once, then by a link

    def value(self, term: Term) -> Value:
        """A term alone, outside of any statement."""
        self._nested = set()
        return self._value(term, (), 0)

    def view(self, subject: Node) -> View:
        describer = self._describer
        self._nested = {subject}
        self.footnotes.begin()
        name = subject.value if isinstance(subject, NamedNode) else str(subject)
        by_property = self._by_subject.get(subject, {})
        label, language = self._title(subject, by_property)
        types = self._explained(name, RDF.type.value, self._values(by_property.get(RDF.type.value, {}), 0))
        fields = self._fields(by_property)
        parts = Parts(fields, self._incoming(name, fields, by_property))
        groups, derived = self._groups(name, by_property, parts)
        shown, further = self._types(types)
        labels = self._labels.get(name, {})
        return View(
            iri=name,
            url=describer.url(name),
            anchor=name.partition("#")[2],
            label=label,
            language=language,
            summary=self._summary(by_property),
            types=shown,
            groups=groups,
            derived=(*self._row_of(RDF.type.value, further), *derived),
            incoming=tuple(sorted(parts.links.values(), key=lambda link: link.follows)),
            sources=self.footnotes.used,
            curie=describer.curie(name),
            also=tuple(
                (labels[tongue], tongue)
                for tongue in describer.languages
                if tongue != language and tongue in labels and labels[tongue] != label
            ),
        )

    def _title(self, subject: Node, by_property: Mapping[str, Mapping[Any, list[str]]]) -> tuple[str, str]:
        if isinstance(subject, NamedNode):
            return self._describer.label(subject.value, self._labels)
        texts = {
            value.language or "": value.value
            for property_ in reversed(LABELS)
            for value in by_property.get(property_.value, {})
            if isinstance(value, Literal)
        }
        return self._describer.pick(texts) or (self._describer.say("(a node without a name)"), "")

    def _summary(self, by_property: Mapping[str, Mapping[Any, list[str]]]) -> tuple[str, str]:
        for property_ in SUMMARIES:
            literals = (value for value in by_property.get(property_.value, {}) if isinstance(value, Literal))
            found = sorted(literals, key=lambda value: (len(value.value), value.value))  # the longest says most
            texts = {value.language or "": value.value for value in found}
            if picked := self._describer.pick(texts):
                return picked
        return "", ""

    def _fields(self, by_property: Mapping[str, Mapping[Any, list[str]]]) -> list[Field]:
        classes = [term.value for term in by_property.get(RDF.type.value, {}) if isinstance(term, NamedNode)]
        return fields_of(self._describer.layout, classes)

    def _types(self, types: Sequence[Value]) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
        """The classes that head a page, since somebody states them or shapes lay them out, and the others."""
        told = [value for value in types if not value.inferred or value.iri in self._describer.layout]
        shown = sorted(told or types, key=lambda value: value.inferred)
        return tuple(shown), tuple(value for value in types if value not in shown)

    def _row_of(self, property_: str, values: tuple[Value, ...]) -> tuple[Row, ...]:
        """A row of values that are made already; none where there are none."""
        label, language = self._describer.label(property_, self._labels)
        return (Row(property_, label, self._describer.url(property_), values, language),) if values else ()

    def _groups(
        self, name: str, by_property: Mapping[str, Mapping[Any, list[str]]], parts: Parts
    ) -> tuple[tuple[Group, ...], tuple[Row, ...]]:
        """The rows and links in groups, as the fields have it, and the derived rows; takes what it shows of `parts`."""
        sections: dict[tuple[str, str], Section] = {}
        left = {property_: values for property_, values in by_property.items() if property_ != RDF.type.value}
        for field_ in parts.fields:
            label = self._describer.pick(field_.group) or ("", "")
            if field_.inverse:
                link = parts.links.pop((field_.path, field_.of), None) if label[0] else None
                if link is not None:
                    sections.setdefault(label, Section()).links.append(link)
            elif (field_.path in left or field_.least) and field_.path != RDF.type.value:
                row = self._row(name, field_.path, left.pop(field_.path, {}), 0, field_)
                sections.setdefault(label, Section()).add(field_, row, folded=self._says_again(row, parts))
        rest = [self._row(name, property_, left[property_], 0) for property_ in sorted(left)]
        derived = tuple(row for row in rest if all(value.inferred for value in row.values))
        unnamed = sections.pop(("", ""), Section())
        unnamed.rows += [(None, row) for row in rest if row not in derived]
        made = [*sections.items(), *([(("", ""), unnamed)] if unnamed.rows else [])]
        return tuple(self._group(name, label, section) for label, section in made), derived

    def _group(self, name: str, label: tuple[str, str], section: Section) -> Group:
        rows = section.gathered(self._describer.pick)
        group = Group(label[0], rows, label[1], links=tuple(section.links), follows=tuple(section.follows))
        asked = [row.iri for row in group.all_rows if row.values]
        return replace(group, query=self._describer.query(name, asked))

    def _says_again(self, row: Row, parts: Parts) -> bool:
        """Does a row only follow from links that lead here, and that the shapes lay out as well?"""
        counts = (parts.laid[inverse] for inverse in self._describer.inverses.get(row.iri, ()))
        return follows(row) and any(count >= len(row.values) for count in counts)

    def _row(
        self, name: str, property_: str, values: Mapping[Any, list[str]], level: int, field_: Field | None = None
    ) -> Row:
        picked = self._describer.pick(field_.names if field_ else {})
        label, language = picked or self._describer.label(property_, self._labels)
        url = self._describer.url(property_)
        made = self._values(values, level)
        made = self._explained(name, property_, made) if level == 0 else made
        return Row(property_, label, url, made, language, disputed=disputed(made, field_))

    def _explained(self, name: str, property_: str, values: Sequence[Value]) -> tuple[Value, ...]:
        """The values, those that only follow with the page that tells why."""
        why_url = self._describer.why_url
        return tuple(
            replace(value, why=why_url(name, property_, value)) if value.inferred else value for value in values
        )

    def _values(self, values: Mapping[Any, list[str]], level: int) -> tuple[Value, ...]:
        made = [self._value(term, self.footnotes.of(graphs), level) for term, graphs in values.items()]
        return tuple(sorted(made, key=lambda value: (value.language, value.text.casefold(), value.iri)))

    def _value(self, term: Any, sources: tuple[Source, ...], level: int) -> Value:
        if isinstance(term, Literal):
            return self._literal(term, sources)
        if isinstance(term, BlankNode):
            return self._blank(term, sources, level)
        if term == RDF.nil:
            return Value("list", "", term.value, sources=sources)
        value = self._describer.reference(term.value, self._labels, sources)
        return replace(value, url="") if term.value in self._nowhere else value

    def _literal(self, literal: Literal, sources: tuple[Source, ...]) -> Value:
        url = literal.value if literal.datatype == XSD.anyURI and clickable(literal.value) else ""
        plain = literal.language or literal.datatype in XSD  # what every reader knows by its looks
        datatype = "" if plain else self._describer.short(literal.datatype.value)
        iri = "" if literal.language or literal.datatype == XSD.string else literal.datatype.value
        language = literal.language or ""
        kind = kind_of(literal)
        return Value(kind, literal.value, "", url, language, datatype, datatype_iri=iri, sources=sources)

    def _blank(self, node: BlankNode, sources: tuple[Source, ...], level: int) -> Value:
        name = str(node)
        if level >= _NESTED_LEVELS or node not in self._by_subject or node in self._nested:
            text = self._describer.say("(a node without a name)")
            return Value("iri", text, name, self._describer.url(name), sources=sources)
        self._nested.add(node)
        items = self._list(node)
        if items is not None:
            return Value(
                "list",
                "",
                name,
                self._describer.url(name),
                sources=sources,
                items=tuple(self._value(item, (), level + 1) for item in items),
            )
        rows = tuple(
            self._row(name, property_, values, level + 1)
            for property_, values in sorted(self._by_subject[node].items())
        )
        return Value("node", "", name, self._describer.url(name), sources=sources, rows=rows)

    def _list(self, cell: Node) -> list[Any] | None:
        """The items of an RDF list, or None where the node does not begin a well-formed one."""
        items: list[Any] = []
        seen = set()
        while cell != RDF.nil:
            statements = self._by_subject.get(cell, {})
            first, rest = statements.get(RDF.first.value, {}), statements.get(RDF.rest.value, {})
            cells = isinstance(cell, BlankNode) and statements.keys() <= {RDF.first.value, RDF.rest.value}
            if cell in seen or not cells or len(first) != 1 or len(rest) != 1:
                return None
            seen.add(cell)
            items += first
            cell = next(iter(rest))
        return items

    def _incoming(
        self, name: str, fields: Sequence[Field], shown: Mapping[str, Mapping[Any, list[str]]]
    ) -> tuple[Incoming, ...]:
        """Links that lead here, but for those that a row for the inverse property shows as well or better."""
        describer = self._describer
        names = {field_.path: field_.names for field_ in fields if field_.inverse and not field_.of}
        grouped = {field_.path for field_ in fields if field_.inverse and describer.pick(field_.group)}
        order = {path: position for position, path in enumerate(names)}
        links = sorted(
            self._links.get(name, ()), key=lambda link: (order.get(link.property, len(order)), link.property)
        )
        made: list[Incoming] = []
        for link in links:
            rows = [shown.get(inverse, {}) for inverse in describer.inverses.get(link.property, ())]
            better = [row for row in rows if not (link.property in grouped and link.stated and self._is_derived(row))]
            if any(len(row) >= link.links for row in better):
                continue
            text, _ = describer.label(link.property, self._labels)
            label, language = describer.pick(names.get(link.property, {})) or (describer.say("is “%s” of") % text, "")
            values = tuple(self._linked(iri, link.property, name) for iri in link.first)
            more = describer.links.site("links", iri=name, property=link.property) if link.links > len(values) else ""
            query = describer.query(name, [link.property], inverse=True)
            only_follows = not link.stated and link.property not in names
            whole = Incoming(link.property, label, link.links, values, more, language, only_follows, query)
            made += [whole] if more else self._divided(name, whole, fields)
        return tuple(made)

    def _divided(self, name: str, whole: Incoming, fields: Sequence[Field]) -> Iterator[Incoming]:
        """The links of each class that has a field of its own, then those that are left."""
        left = whole.values
        for field_ in fields:
            if field_.inverse and field_.of and field_.path == whole.iri:
                taken = tuple(value for value in left if field_.of in self._classes.get(value.iri, ()))
                left = tuple(value for value in left if value not in taken)
                label, language = self._describer.pick(field_.names) or (whole.label, whole.language)
                query = self._describer.query(name, [whole.iri], inverse=True, of=field_.of)
                if taken:
                    yield replace(
                        whole,
                        label=label,
                        language=language,
                        count=len(taken),
                        values=taken,
                        query=query,
                        of=field_.of,
                    )
        if left:
            yield replace(whole, count=len(left), values=left)

    def _is_derived(self, values: Mapping[Any, list[str]]) -> bool:
        """Does nobody state any of the statements?"""
        return all(set(graphs) == {self._describer.inferred_graph} for graphs in values.values())

    def _linked(self, iri: str, property_: str, name: str) -> Value:
        """The subject of a statement that leads here, with those who make it."""
        sources = self.footnotes.of(self._leading.get((iri, property_, name), ()))
        value = self._describer.reference(iri, self._labels, sources)
        me = Value("iri", "", name)
        return replace(value, why=self._describer.why_url(iri, property_, me)) if value.inferred else value
