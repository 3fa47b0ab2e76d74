"""From an IRI to what a page or document says of it: the statements, and a view that templates only print.

Nothing here knows what the publication is about: shapes say which properties come first and what they are called,
labels say how things are called, graphs say who says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from tracktwo import catalog, pictures
from tracktwo.catalog import Catalog, Listed
from tracktwo.links import Links, clickable
from tracktwo.namespaces import DCTERMS, LABELS, PROV, RDF, RDFS, SKOS, SUMMARIES, XSD
from tracktwo.neighbours import Neighbourhood, kind_of
from tracktwo.store import Store
from tracktwo.terms import Node, Term, in_graph, name_of
from tracktwo.view import Group, Incoming, Near, Remark, Row, Source, Value, View

_NESTED_LEVELS = 12  # deeper blank nodes are linked, not shown in place
_INCOMING_SHOWN = 20
_LONGEST_IN_URL = 500  # characters of a literal

#: What leads to the wider of two, or from it: properties, and with `^` links that come by them.
_WIDER = (SKOS.broader.value, RDFS.subClassOf.value, RDFS.subPropertyOf.value, "^" + SKOS.narrower.value)
_NARROWER = (SKOS.narrower.value, *(f"^{property_.value}" for property_ in (SKOS.broader, RDFS.subClassOf)))

#: Which property of a graph names the source that it speaks for, best first.
_SOURCES = (PROV.hadPrimarySource, DCTERMS.source, PROV.wasDerivedFrom)


@dataclass(frozen=True)
class Field:
    """A property as the shapes present it: its path, direction, names and group's labels by language.

    At `least` so many values are expected, at `most` so many (None for any number).
    """

    path: str
    inverse: bool
    names: Mapping[str, str]
    group: Mapping[str, str]
    least: int = 0
    most: int | None = None


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
        quads = self.statements([NamedNode(subject) for subject in self.catalog.subjects([iri]).get(iri, ())])
        if iri in self.graphs:
            name = NamedNode(iri)
            quads += [in_graph(triple, name) for triple in self.store.graph(iri)]
        return list(dict.fromkeys(quads))

    def views(self, subjects: Sequence[Node], *, incoming: Collection[Node]) -> list[View]:
        """Views of some subjects, the labels of all that they mention fetched at once.

        Links that lead to a subject are drawn for those in `incoming`.
        """
        links = {name_of(subject): self.catalog.incoming(name_of(subject), _INCOMING_SHOWN) for subject in incoming}
        drawing = _Drawing(self, self.statements(subjects), links)
        return [drawing.view(subject) for subject in subjects]

    def page(self, subject: Node) -> View:
        """The view of one entity with all that a page has: tables and pictures of its neighbours, and remarks."""
        view = self.views([subject], incoming=[subject])[0]
        around = Neighbourhood(view.iri, _neighbours(view), self)
        remarks = (
            Remark(severity, path, *(self.pick(messages) or ("", "")))
            for path, severity, messages in self.catalog.results(view.iri)
        )
        return replace(
            view,
            groups=tuple(
                replace(group, rows=tuple(replace(row, tables=around.tables(row.values)) for row in group.rows))
                for group in view.groups
            ),
            incoming=tuple(replace(link, tables=around.tables(link.values)) for link in view.incoming),
            remarks=tuple(remarks),
            timeline=_timeline(around.near),
            hierarchy=_hierarchy(view),
        )

    def around(self, subject: Node) -> tuple[View, pictures.Picture | None]:
        """The view of an entity, and the network of those it is linked with, whose circles lead to theirs."""
        view = self.views([subject], incoming=[subject])[0]
        near = Neighbourhood(view.iri, _neighbours(view), self).near
        values = {one.value.iri: replace(one.value, url=self.around_url(one.value.iri)) for one in near}
        me = Value("iri", view.label, view.iri, view.url, view.language)
        linked = {frozenset((one.value.iri, other)) for one in near for other in one.links}
        rows = [(me, value) for value in values.values()]
        rows += [(values[one], values[other]) for one, other in sorted(map(sorted, linked))]
        return view, pictures.drawn("network", ("one", "other"), rows) if rows else None

    def around_url(self, iri: str) -> str:
        """The page of the network around an entity."""
        return self.links.site("around", iri=iri)

    def values(self, terms: Collection[Term], *, unfolded: Collection[Term] = ()) -> dict[Term, Value]:
        """How each of some terms is shown; the `unfolded` blank nodes with all that they lead to."""
        iris = {term.value for term in terms if isinstance(term, NamedNode)}
        drawing = _Drawing(
            self, self.statements([term for term in unfolded if isinstance(term, BlankNode)]), others=iris
        )
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

    def written(self, iri: str) -> str:
        """An IRI as a query has it, with a prefix where one fits."""
        return self.curie(iri) or f"<{iri}>"

    def query(self, iri: str, properties: Sequence[str], *, inverse: bool = False) -> str:
        """SPARQL that asks for the values of some properties of an entity, or for what links to it by them."""
        if iri.startswith("_:") or not properties:
            return ""
        names, me = " ".join(map(self.written, properties)), self.written(iri)
        asked = f"?entity ?property {me}" if inverse else f"{me} ?property ?value"
        wanted = "?entity" if inverse else "?value"
        return f"SELECT ?property {wanted} WHERE {{\n  VALUES ?property {{ {names} }}\n  {asked} .\n}}"

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
        if value.iri:
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


class _Drawing:
    """The views of one page: its statements by subject, and the labels of everything they mention."""

    def __init__(
        self,
        describer: Describer,
        quads: Sequence[Quad],
        links: Mapping[str, Sequence[catalog.Incoming]] = MappingProxyType({}),
        others: Iterable[str] = (),
    ) -> None:
        self._describer, self._links = describer, links
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
        for found in links.values():
            mentioned |= {iri for link in found for iri in (link.property, *link.first)}
        self._labels, described = describer.catalog.known(mentioned)
        self._nowhere = {iri for iri in mentioned if describer.links.is_thing(iri)} - described
        self._numbers: dict[str, int] = {}
        self._used: dict[str, Source] = {}
        self._nested: set[Node] = set()  # blank nodes that the view shows already: each once, then by a link

    def value(self, term: Term) -> Value:
        """A term alone, outside of any statement."""
        self._nested = set()
        return self._value(term, (), 0)

    def view(self, subject: Node) -> View:
        describer = self._describer
        self._used, self._nested = {}, {subject}
        name = subject.value if isinstance(subject, NamedNode) else str(subject)
        by_property = self._by_subject.get(subject, {})
        label, language = self._title(subject, by_property)
        types = self._explained(name, RDF.type.value, self._values(by_property.get(RDF.type.value, {}), 0))
        fields = self._fields(by_property)
        groups, derived = self._groups(name, by_property, fields)
        labels = self._labels.get(name, {})
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
            incoming=self._incoming(name, fields, by_property),
            sources=tuple(sorted(self._used.values(), key=lambda source: source.number)),
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
            texts = {
                value.language or "": value.value
                for value in by_property.get(property_.value, {})
                if isinstance(value, Literal)
            }
            if picked := self._describer.pick(texts):
                return picked
        return "", ""

    def _fields(self, by_property: Mapping[str, Mapping[Any, list[str]]]) -> list[Field]:
        """The fields that the shapes of the entity's classes name, in order, none twice."""
        classes = [term.value for term in by_property.get(RDF.type.value, {}) if isinstance(term, NamedNode)]
        rows = [row for class_ in classes for row in self._describer.layout.get(class_, ())]
        rows.sort(key=lambda row: (row["group_order"], row["order"]))
        fields: dict[tuple[str, bool], Field] = {}
        for row in rows:
            found = Field(row["path"], row["inverse"], row["names"], row["group"], row["least"], row["most"])
            fields.setdefault((found.path, found.inverse), found)
        return list(fields.values())

    def _groups(
        self, name: str, by_property: Mapping[str, Mapping[Any, list[str]]], fields: Sequence[Field]
    ) -> tuple[tuple[Group, ...], tuple[Row, ...]]:
        """The rows in groups, as the fields have it, and the derived ones."""
        groups: dict[tuple[str, str], list[Row]] = {}
        left = {property_: values for property_, values in by_property.items() if property_ != RDF.type.value}
        for field_ in fields:
            if not field_.inverse and (field_.path in left or field_.least) and field_.path != RDF.type.value:
                label = self._describer.pick(field_.group) or ("", "")
                row = self._row(name, field_.path, left.pop(field_.path, {}), 0, field_)
                groups.setdefault(label, []).append(row)
        rest = [self._row(name, property_, left[property_], 0) for property_ in sorted(left)]
        derived = tuple(row for row in rest if all(value.inferred for value in row.values))
        unnamed = [*groups.pop(("", ""), []), *(row for row in rest if row not in derived)]
        named = [*groups.items(), *([(("", ""), unnamed)] if unnamed else [])]
        made = (
            Group(label, tuple(rows), language, self._describer.query(name, [row.iri for row in rows if row.values]))
            for (label, language), rows in named
        )
        return tuple(made), derived

    def _row(
        self, name: str, property_: str, values: Mapping[Any, list[str]], level: int, field_: Field | None = None
    ) -> Row:
        picked = self._describer.pick(field_.names if field_ else {})
        label, language = picked or self._describer.label(property_, self._labels)
        url = self._describer.url(property_)
        made = self._values(values, level)
        made = self._explained(name, property_, made) if level == 0 else made
        return Row(property_, label, url, made, language, disputed=_disputed(made, field_))

    def _explained(self, name: str, property_: str, values: Sequence[Value]) -> tuple[Value, ...]:
        """The values, those that only follow with the page that tells why."""
        why_url = self._describer.why_url
        return tuple(
            replace(value, why=why_url(name, property_, value)) if value.inferred else value for value in values
        )

    def _values(self, values: Mapping[Any, list[str]], level: int) -> tuple[Value, ...]:
        made = [
            self._value(term, tuple(self._source(graph) for graph in sorted(set(graphs))), level)
            for term, graphs in values.items()
        ]
        return tuple(sorted(made, key=lambda value: (value.language, value.text.casefold(), value.iri)))

    def _source(self, graph: str) -> Source:
        known = self._describer.sources.get(graph) or Source(0, graph, self._describer.short(graph), "", inferred=False)
        number = 0 if known.inferred else self._numbers.setdefault(graph, len(self._numbers) + 1)
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
        """Links that lead here, but for those that an inverse property shows already; what only follows stands last."""
        describer = self._describer
        names = {field_.path: field_.names for field_ in fields if field_.inverse}
        order = {path: position for position, path in enumerate(names)}
        links = sorted(
            self._links.get(name, ()), key=lambda link: (order.get(link.property, len(order)), link.property)
        )
        made = []
        for link in links:
            inverses = describer.inverses.get(link.property, ())
            if any(len(shown.get(inverse, ())) >= link.links for inverse in inverses):
                continue
            text, _ = describer.label(link.property, self._labels)
            label, language = describer.pick(names.get(link.property, {})) or (describer.say("is “%s” of") % text, "")
            values = tuple(self._linked(iri) for iri in link.first)
            more = describer.links.site("links", iri=name, property=link.property) if link.links > len(values) else ""
            query = describer.query(name, [link.property], inverse=True)
            follows = not link.stated and link.property not in names
            made.append(Incoming(link.property, label, link.links, values, more, language, follows, query))
        return tuple(sorted(made, key=lambda one: one.follows))

    def _linked(self, iri: str) -> Value:
        text, language = self._describer.label(iri, self._labels)
        return Value("iri", text, iri, self._describer.url(iri), language)


def _hierarchy(view: View) -> pictures.Picture | None:
    """The entity between what is wider and what is narrower, where it has either."""
    me = Value("iri", view.label, view.iri, "", view.language)
    rows = [row for group in view.groups for row in group.rows]
    said = {row.iri: row.values for row in rows} | {"^" + link.iri: link.values for link in view.incoming}
    wider, narrower = (
        {value.iri: value for name in names for value in said.get(name, ()) if value.kind == "iri"}
        for names in (_WIDER, _NARROWER)
    )
    pairs = [(me, value) for value in wider.values()] + [(value, me) for value in narrower.values()]
    return pictures.drawn("tree", ("child", "parent"), pairs) if pairs else None


def _timeline(near: Sequence[Near]) -> pictures.Picture | None:
    """The neighbours that have a date, where there are several."""
    rows = [
        (
            one.value,
            Value("day", one.start) if one.start else None,
            Value("day", one.end) if one.end else None,
            Value("literal", one.group) if one.group else None,
        )
        for one in sorted(near, key=lambda one: (one.group, one.start or one.end, one.value.text))
        if one.start or one.end
    ]
    return pictures.drawn("timeline", ("item", "start", "end", "group"), rows) if len(rows) > 1 else None


def _disputed(values: Sequence[Value], field_: Field | None) -> bool:
    """Are there more values than the shapes expect, texts in each language counted by themselves?"""
    if field_ is None or field_.most is None:
        return False
    return max(Counter(value.language for value in values).values(), default=0) > field_.most


def _neighbours(view: View) -> dict[str, Value]:
    """The entities that the rows and links of a page lead to, the first of each property first."""
    rows = [row.values for group in view.groups for row in group.rows] + [link.values for link in view.incoming]
    turns = zip_longest(*rows)
    found = (value for turn in turns for value in turn if value is not None and value.kind == "iri" and value.url)
    return {value.iri: value for value in found if not value.iri.startswith("_:")}
