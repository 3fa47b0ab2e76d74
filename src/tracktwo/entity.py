"""From an IRI to what a page or document says of it: the statements, and a view model that templates only print.

Nothing here knows what the publication is about: shapes say which properties come first and what they are called,
labels say how things are called, graphs say who says so.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from tracktwo.catalog import Catalog, Listed
from tracktwo.links import Links, clickable
from tracktwo.namespaces import DCTERMS, LABELS, PROV, RDF, RDFS, SCHEMA, SUMMARIES, XSD
from tracktwo.store import Store
from tracktwo.terms import Node, Term, in_graph

_NESTED_LEVELS = 12  # deeper blank nodes are linked, not shown in place
_INCOMING_SHOWN = 20
_LONGEST_IN_URL = 500  # characters of a literal
_SECTIONS = 50  # statements of provenance that are shown

#: Which property of a graph names the source that it speaks for, best first.
_SOURCES = (PROV.hadPrimarySource, DCTERMS.source, PROV.wasDerivedFrom)


@dataclass(frozen=True)
class Field:
    """A property as the shapes present it: its path, direction, names and group's labels by language."""

    path: str
    inverse: bool
    names: Mapping[str, str]
    group: Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """Who says so: a named graph with its number on the page (0 off one), its label, and the source it speaks for."""

    number: int
    graph: str
    label: str
    url: str
    inferred: bool
    language: str = ""


@dataclass(frozen=True)
class Value:
    """One value of a property, ready to print: text, and a link where there is one to follow.

    `kind` is `iri`, `literal`, `list` (with `items`) or `node` (a blank node, with `rows`). `datatype` is shown, and so
    is empty where the text tells it; `datatype_iri` is that of every literal but a string.
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

    @property
    def inferred(self) -> bool:
        """Does the statement only follow, without anyone saying it?"""
        return bool(self.sources) and all(source.inferred for source in self.sources)


@dataclass(frozen=True)
class Row:
    """A property and its values."""

    iri: str
    label: str
    url: str
    values: tuple[Value, ...]
    language: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under a heading; the shapes' groups in their order, the rest last under none."""

    label: str
    rows: tuple[Row, ...]
    language: str = ""


@dataclass(frozen=True)
class Incoming:
    """Links that lead here with one property: how many, the first of them, and the page of all."""

    iri: str
    label: str
    count: int
    values: tuple[Value, ...]
    more: str
    language: str = ""


@dataclass(frozen=True)
class View:
    """Everything a page shows of one entity.

    `derived` are the rows that no shape names and nobody states: they only follow from what is shown already.
    """

    iri: str
    url: str
    anchor: str
    label: str
    language: str
    summary: str
    types: tuple[Value, ...]
    groups: tuple[Group, ...]
    derived: tuple[Row, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    sources: tuple[Source, ...] = ()
    curie: str = ""


@dataclass
class Describer:
    """Makes views and collects statements of one release's entities.

    `layout` gives the fields of each class in order, `inverses` those of each property; `graphs` are all named graphs,
    `languages` the preferred first; `say` translates our own words into the reader's language.
    """

    store: Store
    catalog: Catalog
    links: Links
    prefixes: Mapping[str, str]
    layout: Mapping[str, Sequence[Mapping[str, Any]]]
    inverses: Mapping[str, Sequence[str]]
    graphs: Sequence[str]
    inferred_graph: str
    languages: Sequence[str] = field(default_factory=lambda: ("en",))
    say: Callable[[str], str] = str

    def statements(self, subjects: Sequence[Node]) -> list[Quad]:
        """All statements about the subjects, with those about the blank nodes that they lead to, to any depth."""
        quads: list[Quad] = []
        seen: set[Node] = set(subjects)
        wanted: Sequence[Node] = subjects
        while wanted:
            found = self.store.describe(wanted)
            quads += found
            wanted = list(
                dict.fromkeys(
                    quad.object for quad in found if isinstance(quad.object, BlankNode) and quad.object not in seen
                )
            )
            seen.update(wanted)
        return quads

    def document(self, iri: str) -> list[Quad]:
        """What the document with this IRI says: about all its subjects, and, if it is a named graph, that graph."""
        quads = self.statements([NamedNode(subject) for subject in self.catalog.subjects(iri)])
        if iri in self.graphs:
            name = NamedNode(iri)
            quads += [in_graph(triple, name) for triple in self.store.graph(iri)]
        return list(dict.fromkeys(quads))

    def views(self, subjects: Sequence[Node], *, incoming: Collection[Node]) -> list[View]:
        """Views of some subjects, the labels of all that they mention fetched at once.

        Links that lead to a subject are drawn for those in `incoming`.
        """
        quads = self.statements(subjects)
        drawing = _Drawing(self, quads)
        return [drawing.view(subject, incoming=subject in incoming) for subject in subjects]

    def values(self, terms: Collection[Term], *, unfolded: Collection[Term] = ()) -> dict[Term, Value]:
        """How each of some terms is shown; the `unfolded` blank nodes with all that they lead to."""
        iris = {term.value for term in terms if isinstance(term, NamedNode)}
        drawing = _Drawing(self, self.statements([term for term in unfolded if isinstance(term, BlankNode)]), iris)
        return {term: drawing.value(term) for term in terms}

    def listing(self, entries: Iterable[Listed]) -> list[Value]:
        """Entries of a list as links with labels."""
        iris = [entry.iri for entry in entries]
        labels = self.catalog.labels(iris)
        named = ((iri, *self.label(iri, labels)) for iri in iris)
        return [Value("iri", text, iri, self.url(iri), language) for iri, text, language in named]

    def label(self, iri: str, labels: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
        """(text, language) to show for an IRI: its label in the preferred language, else a short form of itself."""
        if iri.startswith("_:") and iri not in labels:
            return self.say("(a node without a name)"), ""
        return self.pick(labels.get(iri, {})) or (self.short(iri), "")

    def pick(self, texts: Mapping[str, str]) -> tuple[str, str] | None:
        """(text, language) in the most preferred language that there is."""
        for language in (*self.languages, "", *sorted(texts)):
            if texts.get(language, "").strip():
                return texts[language], language
        return None

    def short(self, iri: str) -> str:
        """A CURIE where a prefix fits, else the IRI."""
        return self.curie(iri) or iri

    def curie(self, iri: str) -> str:
        """`prefix:local` for an IRI, empty where no prefix fits or the local part would need escapes."""
        namespace, local = (
            re.split(r"(?<=[#/])(?=[^#/]*$)", iri, maxsplit=1) if re.search(r"[#/][^#/]+$", iri) else (iri, "")
        )
        prefix = self._by_namespace.get(namespace)
        return f"{prefix}:{local}" if prefix is not None and re.fullmatch(r"\w(?:[\w.-]*[\w-])?", local) else ""

    def without_page(self, iris: Iterable[str]) -> set[str]:
        """Those of the IRIs that look like things of ours, but of which nothing is said."""
        things = [iri for iri in iris if self.links.is_thing(iri)]
        return set(things) - set(self.catalog.described(things))

    def url(self, iri: str) -> str:
        """Where to go for an IRI: our page about it if we describe it or it is ours, its own place otherwise."""
        if iri.startswith("_:"):
            return self.links.site(".well-known/genid/" + iri[2:])
        if self.links.is_ours(iri):
            return self.links.url(iri)
        return self.links.site("describe", iri=iri) if clickable(iri) else ""

    def why_url(self, subject: str, property_: str, value: Value) -> str:
        """The page that tells why a statement holds; empty where a literal is too long for a URL.

        `subject` is an IRI, or `_:` and the label of a blank node, as `View.iri` has it.
        """
        if value.kind != "literal":
            return self.links.site("why", subject=subject, property=property_, object=value.iri)
        if len(value.text) > _LONGEST_IN_URL:
            return ""
        # `lang` is the reader's language
        said = {"value": value.text, "datatype": value.datatype_iri, "language": value.language}
        return self.links.site("why", subject=subject, property=property_, **said)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """A source for each named graph: its label, and the entity it speaks for."""
        quads = self.store.describe([NamedNode(graph) for graph in self.graphs])
        primary = {}
        for property_ in reversed(_SOURCES):
            primary.update(
                {
                    quad.subject.value: quad.object.value
                    for quad in quads
                    if quad.predicate == property_
                    and isinstance(quad.object, NamedNode)
                    and isinstance(quad.subject, NamedNode)
                }
            )
        labels = self.catalog.labels([*self.graphs, *primary.values()])
        return {graph: self._source(graph, primary.get(graph), labels) for graph in self.graphs}

    def _source(self, graph: str, primary: str | None, labels: Mapping[str, Mapping[str, str]]) -> Source:
        named = labels.get(primary or graph) or labels.get(graph) or {}
        inferred = graph == self.inferred_graph
        picked = self.pick(named)
        fallback = self.say("inferred from the other statements") if inferred else self.short(graph)
        text, language = picked or (fallback, "")
        return Source(0, graph, text, self.url(primary or graph), inferred, language)

    @cached_property
    def _by_namespace(self) -> dict[str, str]:
        return {namespace: prefix for prefix, namespace in self.prefixes.items()}


@dataclass(frozen=True)
class Section:
    """One statement of a dataset's provenance: its label and text with their languages, its page, and counts."""

    label: tuple[str, str]
    text: tuple[str, str]
    url: str
    counts: tuple[tuple[tuple[str, str], str], ...]


def provenance(describer: Describer) -> list[Section]:
    """What the data says of its own making: each `dcterms:ProvenanceStatement`, in the order of `schema:position`.

    A count is a `schema:PropertyValue` that `schema:additionalProperty` leads to. Two look-ups, however many.
    """
    classes = [row for row in describer.catalog.classes() if row.iri == DCTERMS.ProvenanceStatement.value]
    listed = [entry.iri for row in classes for entry in describer.catalog.members(row.slug, "", _SECTIONS)]
    made = _objects(describer, listed)
    counted = {
        iri: [value.value for value in said.get(SCHEMA.additionalProperty.value, ()) if isinstance(value, NamedNode)]
        for iri, said in made.items()
    }
    counts = _objects(describer, [iri for iris in counted.values() for iri in iris])

    def text(said: Mapping[str, Sequence[Any]], property_: NamedNode) -> tuple[str, str]:
        literals = (value for value in said.get(property_.value, ()) if isinstance(value, Literal))
        texts = {literal.language or "": literal.value for literal in literals}
        return describer.pick(texts) or ("", "")

    def number(said: Mapping[str, Sequence[Any]], property_: NamedNode) -> str:
        return min((value.value for value in said.get(property_.value, ())), default="")

    rows = sorted(made.items(), key=lambda item: (number(item[1], SCHEMA.position).rjust(9), item[0]))
    return [
        Section(
            text(said, RDFS.label),
            text(said, DCTERMS.description),
            describer.url(iri),
            tuple((text(counts[one], RDFS.label), number(counts[one], SCHEMA.value)) for one in sorted(counted[iri])),
        )
        for iri, said in rows
    ]


def _objects(describer: Describer, iris: Sequence[str]) -> dict[str, dict[str, list[Any]]]:
    """The objects of all statements about some subjects, by subject and property; each once."""
    found: dict[str, dict[str, list[Any]]] = {iri: {} for iri in iris}
    for quad in dict.fromkeys(quad.triple for quad in describer.store.describe([NamedNode(iri) for iri in iris])):
        if isinstance(quad.subject, NamedNode):
            found[quad.subject.value].setdefault(quad.predicate.value, []).append(quad.object)
    return found


class _Drawing:
    """The views of one page: its statements by subject, and the labels of everything they mention."""

    def __init__(self, describer: Describer, quads: Sequence[Quad], others: Iterable[str] = ()) -> None:
        self._describer = describer
        self._by_subject: dict[Node, dict[str, dict[Any, list[str]]]] = {}
        mentioned = set(others)
        for quad in quads:
            assert isinstance(quad.subject, (NamedNode, BlankNode))
            values = self._by_subject.setdefault(quad.subject, {}).setdefault(quad.predicate.value, {})
            values.setdefault(quad.object, []).append(
                quad.graph_name.value if isinstance(quad.graph_name, NamedNode) else ""
            )
            mentioned |= {
                quad.predicate.value,
                *(term.value for term in (quad.subject, quad.object) if isinstance(term, NamedNode)),
            }
        self._labels = describer.catalog.labels(mentioned)
        self._nowhere = describer.without_page(mentioned)
        self._numbers: dict[str, int] = {}
        self._used: dict[str, Source] = {}
        self._nested: set[Node] = set()  # blank nodes that the view shows already: each once, then by a link

    def value(self, term: Term) -> Value:
        """A term alone, outside of any statement."""
        self._nested = set()
        return self._value(term, (), 0)

    def view(self, subject: Node, *, incoming: bool) -> View:
        describer = self._describer
        self._used, self._nested = {}, {subject}
        name = subject.value if isinstance(subject, NamedNode) else str(subject)
        by_property = self._by_subject.get(subject, {})
        label, language = self._title(subject, by_property)
        types = self._values(by_property.get(RDF.type.value, {}), 0)
        fields = self._fields(by_property)
        groups, derived = self._groups(by_property, fields)
        return View(
            iri=name,
            url=describer.url(name),
            anchor=name.partition("#")[2],
            label=label,
            language=language,
            summary=self._summary(by_property),
            types=tuple(sorted(types, key=lambda value: value.inferred)),
            groups=groups,
            derived=derived,
            incoming=self._incoming(name, fields, by_property) if incoming else (),
            sources=tuple(sorted(self._used.values(), key=lambda source: source.number)),
            curie=describer.curie(name),
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

    def _summary(self, by_property: Mapping[str, Mapping[Any, list[str]]]) -> str:
        for property_ in SUMMARIES:
            texts = {
                value.language or "": value.value
                for value in by_property.get(property_.value, {})
                if isinstance(value, Literal)
            }
            if picked := self._describer.pick(texts):
                return picked[0]
        return ""

    def _fields(self, by_property: Mapping[str, Mapping[Any, list[str]]]) -> list[Field]:
        """The fields that the shapes of the entity's classes name, in order, none twice."""
        classes = [term.value for term in by_property.get(RDF.type.value, {}) if isinstance(term, NamedNode)]
        rows = [row for class_ in classes for row in self._describer.layout.get(class_, ())]
        rows.sort(key=lambda row: (row["group_order"], row["order"]))
        fields: dict[tuple[str, bool], Field] = {}
        for row in rows:
            fields.setdefault(
                (row["path"], row["inverse"]), Field(row["path"], row["inverse"], row["names"], row["group"])
            )
        return list(fields.values())

    def _groups(
        self, by_property: Mapping[str, Mapping[Any, list[str]]], fields: Sequence[Field]
    ) -> tuple[tuple[Group, ...], tuple[Row, ...]]:
        """The rows in groups, as the fields have it, and the derived ones."""
        groups: dict[tuple[str, str], list[Row]] = {}
        left = {property_: values for property_, values in by_property.items() if property_ != RDF.type.value}
        for field_ in fields:
            if not field_.inverse and field_.path in left:
                label = self._describer.pick(field_.group) or ("", "")
                groups.setdefault(label, []).append(self._row(field_.path, left.pop(field_.path), field_.names, 0))
        rest = [self._row(property_, left[property_], {}, 0) for property_ in sorted(left)]
        derived = tuple(row for row in rest if all(value.inferred for value in row.values))
        unnamed = [*groups.pop(("", ""), []), *(row for row in rest if row not in derived)]
        made = [Group(label, tuple(rows), language) for (label, language), rows in groups.items()]
        return (*made, *([Group("", tuple(unnamed))] if unnamed else [])), derived

    def _row(self, property_: str, values: Mapping[Any, list[str]], names: Mapping[str, str], level: int) -> Row:
        picked = self._describer.pick(names)
        label, language = picked or self._describer.label(property_, self._labels)
        return Row(property_, label, self._describer.url(property_), self._values(values, level), language)

    def _values(self, values: Mapping[Any, list[str]], level: int) -> tuple[Value, ...]:
        made = [
            self._value(term, tuple(self._source(graph) for graph in sorted(set(graphs))), level)
            for term, graphs in values.items()
        ]
        return tuple(sorted(made, key=lambda value: (value.language, value.text.casefold(), value.iri)))

    def _source(self, graph: str) -> Source:
        known = self._describer.sources.get(graph) or Source(0, graph, self._describer.short(graph), "", inferred=False)
        number = self._numbers.setdefault(graph, len(self._numbers) + 1)
        return self._used.setdefault(graph, replace(known, number=number))

    def _value(self, term: Any, sources: tuple[Source, ...], level: int) -> Value:
        if isinstance(term, Literal):
            return self._literal(term, sources)
        if isinstance(term, BlankNode):
            return self._blank(term, sources, level)
        if term == RDF.nil:
            return Value("list", "", term.value, sources=sources)
        label, language = self._describer.label(term.value, self._labels)
        url = "" if term.value in self._nowhere else self._describer.url(term.value)
        return Value("iri", label, term.value, url, language, sources=sources)

    def _literal(self, literal: Literal, sources: tuple[Source, ...]) -> Value:
        url = literal.value if literal.datatype == XSD.anyURI and clickable(literal.value) else ""
        plain = literal.language or literal.datatype in XSD  # what every reader knows by its looks
        datatype = "" if plain else self._describer.short(literal.datatype.value)
        iri = "" if literal.language or literal.datatype == XSD.string else literal.datatype.value
        language = literal.language or ""
        return Value("literal", literal.value, "", url, language, datatype, datatype_iri=iri, sources=sources)

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
            self._row(property_, values, {}, level + 1) for property_, values in sorted(self._by_subject[node].items())
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
        """Links that lead here, but for those that an inverse property shows already."""
        describer = self._describer
        names = {field_.path: field_.names for field_ in fields if field_.inverse}
        order = {path: position for position, path in enumerate(names)}
        counts = sorted(describer.catalog.link_counts(name), key=lambda row: (order.get(row[0], len(order)), row[0]))
        labels = describer.catalog.labels([property_ for property_, _ in counts])
        made = []
        for property_, count in counts:
            if any(len(shown.get(inverse, ())) >= count for inverse in describer.inverses.get(property_, ())):
                continue
            text, language = describer.label(property_, labels)
            label, language = describer.pick(names.get(property_, {})) or (describer.say("is “%s” of") % text, "")
            entries = describer.catalog.links(name, property_, "", _INCOMING_SHOWN)
            more = describer.links.site("links", iri=name, property=property_) if count > len(entries) else ""
            made.append(Incoming(property_, label, count, tuple(describer.listing(entries)), more, language))
        return tuple(made)
