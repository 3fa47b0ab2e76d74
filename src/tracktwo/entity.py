"""From an IRI to what a page or document says of it: the statements, and a view that templates only print.

Nothing here knows what the publication is about: shapes say which properties come first and what they are called,
labels say how things are called, graphs say who says so.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, zip_longest
from typing import Any

from pyoxigraph import BlankNode, NamedNode, Quad

from tracktwo import catalog, identifiers, pictures
from tracktwo.catalog import Catalog, Listed
from tracktwo.drawing import Drawing
from tracktwo.fields import follows
from tracktwo.links import Links, clickable
from tracktwo.namespaces import DCTERMS, PROV, RDF, RDFS, SKOS
from tracktwo.neighbours import Neighbourhood
from tracktwo.store import Store
from tracktwo.terms import Node, Term, in_graph, name_of, node_of
from tracktwo.turtle import is_local_name
from tracktwo.view import Group, Incoming, Near, Remark, Source, Value, View

_NEIGHBOURS = 120  # of one entity that are looked at; those that are shown to link to it are, however many
_INCOMING_SHOWN = 20
_LONGEST_IN_URL = 500  # characters of a literal

#: What leads to the wider of two, or from it: properties, and with `^` links that come by them.
_WIDER = (SKOS.broader.value, RDFS.subClassOf.value, RDFS.subPropertyOf.value, "^" + SKOS.narrower.value)
_NARROWER = (SKOS.narrower.value, *(f"^{property_.value}" for property_ in (SKOS.broader, RDFS.subClassOf)))

#: Which property of a graph names the source that it speaks for, best first.
_SOURCES = (PROV.hadPrimarySource, DCTERMS.source, PROV.wasDerivedFrom)


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
        return list(dict.fromkeys(self.streamed(iri)))

    def streamed(self, iri: str) -> Iterator[Quad]:
        """The same as it comes, for a document that is too large to be held; a statement may come twice."""
        yield from self.statements([NamedNode(subject) for subject in self.catalog.subjects([iri]).get(iri, ())])
        if iri in self.graphs:
            name = NamedNode(iri)
            yield from (in_graph(triple, name) for triple in self.store.graph(iri))

    def views(self, subjects: Sequence[Node], *, incoming: Collection[Node]) -> list[View]:
        """Views of some subjects, the labels of all that they mention fetched at once.

        Links that lead to a subject are drawn for those in `incoming`.
        """
        links = {name_of(subject): self.catalog.incoming(name_of(subject), _INCOMING_SHOWN) for subject in incoming}
        leading = {iri for found in links.values() for link in found for iri in link.first}
        near = self.store.describe([node_of(iri) for iri in sorted(leading)]) if leading else []
        drawing = Drawing(self, self.statements(subjects), links, near)
        return [drawing.view(subject) for subject in subjects]

    def page(self, subject: Node) -> View:
        """The view of one entity with all that a page has: tables and pictures of its neighbours, and remarks."""
        view, around = self._surroundings(subject)
        hierarchy = _hierarchy(view)
        drawn = tuple(link for link in view.links if hierarchy and f"^{link.iri}" in (*_WIDER, *_NARROWER))
        groups = tuple(_tabled(group, around, drawn) for group in view.groups)
        incoming = tuple(
            replace(link, tables=around.tables(link.values)) for link in view.incoming if link not in drawn
        )
        return replace(
            view,
            groups=tuple(group for group in groups if group.all_rows or group.links),
            incoming=incoming,
            drawn=drawn,
            sources=around.footnotes.used,
            remarks=tuple(self._remark(*result) for result in self.catalog.results(view.iri)),
            timeline=_timeline(around.near),
            hierarchy=hierarchy,
        )

    def _remark(self, path: str, severity: str, messages: Mapping[str, str]) -> Remark:
        """What validation says, in two: what is the matter, and what to do about it."""
        text, language = self.pick(messages) or ("", "")
        matter, colon, advice = text.partition(": ")
        return Remark(severity, path, f"{matter}." if colon else matter, language, advice[:1].upper() + advice[1:])

    def _surroundings(self, subject: Node) -> tuple[View, Neighbourhood]:
        """The view of an entity, and the entities around it."""
        quads = self.statements([subject])
        links = {name_of(subject): self.catalog.incoming(name_of(subject), _INCOMING_SHOWN)}
        wanted = _around(subject, quads, links[name_of(subject)])
        near = self.store.describe([node_of(iri) for iri in wanted])
        drawing = Drawing(self, quads, links, near)
        view = drawing.view(subject)
        values = {value.iri: value for value in _linked(view)}
        linked = {iri: values[iri] for iri in wanted if iri in values}
        return view, Neighbourhood(view.iri, linked, near, drawing.footnotes, self)

    def around(self, subject: Node) -> tuple[View, pictures.Picture | None]:
        """The view of an entity, and the network of those it is linked with, whose circles lead to theirs."""
        view, around = self._surroundings(subject)
        values = {one.value.iri: replace(one.value, url=self.around_url(one.value.iri)) for one in around.near}
        me = Value("iri", view.label, view.iri, view.url, view.language)
        linked = {frozenset((one.value.iri, other)) for one in around.near for other in one.links}
        rows = [(me, value) for value in values.values()]
        rows += [(values[one], values[other]) for one, other in sorted(map(sorted, linked))]
        return view, pictures.drawn("network", ("one", "other"), rows) if rows else None

    def around_url(self, iri: str) -> str:
        """The page of the network around an entity."""
        return self.links.site("around", iri=iri)

    def values(self, terms: Collection[Term], *, unfolded: Collection[Term] = ()) -> dict[Term, Value]:
        """How each of some terms is shown; the `unfolded` blank nodes with all that they lead to."""
        iris = {term.value for term in terms if isinstance(term, NamedNode)}
        drawing = Drawing(
            self, self.statements([term for term in unfolded if isinstance(term, BlankNode)]), others=iris
        )
        return {term: drawing.value(term) for term in terms}

    def listing(self, entries: Iterable[Listed]) -> list[Value]:
        """Entries of a list as links with labels."""
        iris = [entry.iri for entry in entries]
        labels = self.catalog.labels(iris)
        return [self.reference(iri, labels) for iri in iris]

    def reference(self, iri: str, labels: Mapping[str, Mapping[str, str]], sources: tuple[Source, ...] = ()) -> Value:
        """How an IRI is shown: by its label, with a link to where it leads."""
        text, language = self.label(iri, labels)
        return Value("iri", text, iri, self.url(iri), language, sources=sources, named=iri in labels)

    def label(self, iri: str, labels: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
        """(text, language) to show for an IRI: its label in the preferred language, else a short form of it."""
        if iri.startswith("_:") and iri not in labels:
            return self.say("(a node without a name)"), ""
        return self.pick(labels.get(iri, {})) or (identifiers.named(iri) or self.short(iri), "")

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
        """`prefix:local` for an IRI, as Turtle and SPARQL read it; empty where no prefix fits or it needs escapes."""
        cut = max(iri.rfind("#"), iri.rfind("/")) + 1
        prefix, local = self._by_namespace.get(iri[:cut]), iri[cut:]
        return f"{prefix}:{local}" if prefix is not None and is_local_name(local) else ""

    def written(self, iri: str) -> str:
        """An IRI as a query has it, with a prefix where one fits."""
        return self.curie(iri) or f"<{iri}>"

    def query(self, iri: str, properties: Sequence[str], *, inverse: bool = False, of: str = "") -> str:
        """SPARQL that asks for the values of some properties of an entity, or for what (of a class) links to it."""
        if iri.startswith("_:") or not properties:
            return ""
        names, me = " ".join(map(self.written, properties)), self.written(iri)
        asked = f"?entity ?property {me}" if inverse else f"{me} ?property ?value"
        asked += f" .\n  ?entity a {self.written(of)}" if of else ""
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

    def source(self, graph: str) -> Source:
        """Whom a named graph speaks for."""
        return self.sources.get(graph) or Source(0, graph, self.short(graph), "", inferred=False)

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


def _hierarchy(view: View) -> pictures.Picture | None:
    """The entity between what is wider and what is narrower, where it has either."""
    me = Value("iri", view.label, view.iri, "", view.language)
    rows = [row for group in view.groups for row in group.all_rows]
    said = {row.iri: row.values for row in rows} | {"^" + link.iri: link.values for link in view.links}
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


def _around(subject: Node, quads: Sequence[Quad], links: Sequence[catalog.Incoming]) -> list[str]:
    """The IRIs around an entity: some of those that it leads to, in turns, and all that are shown to lead to it."""
    objects: dict[NamedNode, list[str]] = {}
    for quad in quads:
        if quad.subject == subject and isinstance(quad.object, NamedNode) and quad.predicate != RDF.type:
            objects.setdefault(quad.predicate, []).append(quad.object.value)
    leading = [link.first for link in links]
    turns = (iri for turn in zip_longest(*objects.values(), *leading) for iri in turn if iri is not None)
    first = islice((iri for iri in dict.fromkeys(turns) if iri != name_of(subject)), _NEIGHBOURS)
    return list(dict.fromkeys([*first, *(iri for some in leading for iri in some)]))


def _linked(view: View) -> Iterator[Value]:
    """What the rows and links of a page lead to."""
    rows = [row.values for group in view.groups for row in group.all_rows] + [link.values for link in view.links]
    return (value for values in rows for value in values if value.kind == "iri" and value.url)


def _tabled(group: Group, around: Neighbourhood, drawn: Collection[Incoming]) -> Group:
    """The group with its tables; a row that only follows, and whose values its links' tables name, is folded."""
    links = [replace(link, tables=around.tables(link.values)) for link in group.links if link not in drawn]
    cells = {
        value.iri
        for link in links
        for table in link.tables
        for row in table.rows
        for cell in row.cells
        for value in cell
    }
    again = [row for row in group.rows if follows(row) and all(value.iri in cells for value in row.values)]
    rows = [replace(row, tables=around.tables(row.values)) for row in group.rows if row not in again]
    return replace(group, rows=tuple(rows), links=tuple(links), follows=(*group.follows, *again))
