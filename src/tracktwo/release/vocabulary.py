"""Documents that define terms, as a release keeps them: each term with what is said of it and where it is used."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from tracktwo import querytext
from tracktwo.links import Links
from tracktwo.namespaces import OWL, RDF, RDFS, SH, SKOS
from tracktwo.publication import Publication
from tracktwo.question import Question
from tracktwo.release import shapes
from tracktwo.release.phrases import Phrase, Phrases, in_order, names_in
from tracktwo.terms import Node, name_of

_SAMPLES = 3  # members of a class that its section names
_LONGEST = 200  # characters of an example's literal

#: The kinds of terms in the order of a document, by the types that make one. What has no such type is an individual.
KINDS: tuple[tuple[str, tuple[NamedNode, ...]], ...] = (
    ("ontology", (OWL.Ontology,)),
    ("class", (OWL.Class, RDFS.Class, OWL.DeprecatedClass)),
    (
        "object-property",
        (
            OWL.ObjectProperty,
            OWL.InverseFunctionalProperty,
            OWL.TransitiveProperty,
            OWL.SymmetricProperty,
            OWL.AsymmetricProperty,
            OWL.ReflexiveProperty,
            OWL.IrreflexiveProperty,
        ),
    ),
    ("datatype-property", (OWL.DatatypeProperty,)),
    ("annotation-property", (OWL.AnnotationProperty, OWL.OntologyProperty)),
    ("property", (RDF.Property, OWL.FunctionalProperty, OWL.DeprecatedProperty)),
    ("datatype", (RDFS.Datatype,)),
    ("node-shape", (SH.NodeShape,)),
    ("property-shape", (SH.PropertyShape,)),
    ("group", (SH.PropertyGroup,)),
    ("scheme", (SKOS.ConceptScheme,)),
    ("concept", (SKOS.Concept,)),
)
INDIVIDUAL = "individual"
#: Kinds that make a document with several subjects a vocabulary.
_DEFINING = {kind for kind, _ in KINDS} - {"ontology", "concept"}
_BY_CHAIN = (OWL.propertyChainAxiom,)
_ALL_DISJOINT = (OWL.AllDisjointClasses, OWL.AllDisjointProperties)
#: Said of a term, and told elsewhere in its section.
_TOLD = (SH.property, RDFS.isDefinedBy)


def as_json(
    publication: Publication,
    quads: Sequence[Quad],
    stated: Iterable[Quad],
    statistics: Mapping[str, Any],
    questions: Sequence[Question],
) -> str:
    """The vocabularies of a publication, as they are stored in a release.

    `quads` are all of a release, `stated` those that somebody wrote. `documents` have the IRIs of their terms by kind
    and of other people's terms that they declare; `terms` have what is said of each; `tables` are those of the shapes
    by name, `targets` the names of each class's shapes.
    """
    found = _Vocabularies(publication, quads, list(stated), statistics).all(questions)
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def kind_of(types: Iterable[Any]) -> str:
    """The kind of a term with these types: the first that one of them makes."""
    known = set(types)
    return next((kind for kind, made_by in KINDS if not known.isdisjoint(made_by)), INDIVIDUAL)


class _Vocabularies:
    """One pass over a release's statements for each question that is asked of them."""

    def __init__(
        self, publication: Publication, quads: Sequence[Quad], stated: Sequence[Quad], statistics: Mapping[str, Any]
    ) -> None:
        self._prefixes = publication.prefixes
        self._links = Links(publication.base_iri, publication.base_iri, publication.documents)
        self._statistics = statistics
        self._triples = list(dict.fromkeys(quad.triple for quad in quads))
        self._kinds = _kinds(stated)
        self._documents = self._vocabularies()
        self._terms = {iri for iris in self._documents.values() for iri in iris}
        self._phrases = Phrases(quad.triple for quad in _about(stated, self._kinds, self._documents))
        self._graphs = self._graphs_of(stated)
        self._subjects = {name_of(triple.subject) for triple in self._triples}
        self._named = {
            term.value
            for triple in self._triples
            for term in (triple.subject, triple.predicate, triple.object)
            if isinstance(term, NamedNode)
        }
        self._weight = Counter(triple.subject for triple in self._triples)

    def all(self, questions: Sequence[Question]) -> dict[str, Any]:
        tables = shapes.tables(self._phrases)
        terms = {iri: self._term(iri) for iri in sorted(self._terms)}
        self._relate(terms)
        self._use(terms)
        for question in questions:
            for iri in querytext.iris_in(question.text, self._prefixes):
                if iri in terms:
                    terms[iri].setdefault("questions", []).append(question.slug)
        targets = self._targets()
        return {
            "documents": {
                document: self._document(document, iris, terms, tables, targets)
                for document, iris in self._documents.items()
            },
            "terms": terms,
            "tables": tables,
            "targets": targets,
        }

    def _vocabularies(self) -> dict[str, list[str]]:
        """The documents with several subjects of which one is a term that is defined, and those subjects."""
        subjects: dict[str, set[str]] = {}
        for triple in self._triples:
            if isinstance(triple.subject, NamedNode) and self._links.is_ours(triple.subject.value):
                iri = triple.subject.value
                subjects.setdefault(self._links.document(iri), set()).add(iri)
        return {
            document: sorted(iris)
            for document, iris in sorted(subjects.items())
            if len(iris) > 1 and any(self._kinds.get(iri) in _DEFINING for iri in iris)
        }

    def _document(
        self,
        document: str,
        iris: Sequence[str],
        terms: Mapping[str, Any],
        tables: Mapping[str, Any],
        targets: Mapping[str, Sequence[str]],
    ) -> dict[str, Any]:
        by_kind: dict[str, list[str]] = {}
        for iri in iris:
            by_kind.setdefault(self._kinds.get(iri, INDIVIDUAL), []).append(iri)
        others = {
            name_of(node)
            for node in self._phrases.subjects()
            if isinstance(node, NamedNode)
            and document in self._graphs.get((node, RDF.type), ())
            and node.value not in self._terms
            and self._kinds.get(node.value) in _DEFINING
        }
        shown = [name for iri in iris for name in (iri, *targets.get(iri, ())) if name in tables]
        records = [[terms[iri] for iri in iris], [tables[name] for name in shown], iris, shown, sorted(others)]
        mentioned = {text for text in _texts(records) if text in self._named}
        missing = {iri for iri in mentioned if self._links.is_thing(iri)} - self._subjects
        return {
            "terms": by_kind,
            "others": sorted(others),
            "mentioned": sorted(mentioned),
            "missing": sorted(missing),
        }

    def _graphs_of(self, stated: Sequence[Quad]) -> dict[Any, set[str]]:
        """Which graphs hold a triple about a term; and which state a type of a subject."""
        graphs: dict[Any, set[str]] = {}
        for quad in stated:
            name = name_of(quad.graph_name)
            if name_of(quad.subject) in self._terms:
                graphs.setdefault(quad.triple, set()).add(name)
            if quad.predicate == RDF.type:
                graphs.setdefault((quad.subject, RDF.type), set()).add(name)
        return graphs

    def _term(self, iri: str) -> dict[str, Any]:
        node = NamedNode(iri)
        said = {
            property_.value: [
                [self._value(property_, value), self._elsewhere(iri, property_, value)] for value in values
            ]
            for property_, values in self._phrases.of(node).items()
            if property_ not in _TOLD
        }
        row = {"row": shapes.row(self._phrases, node)} if SH.path in self._phrases.of(node) else {}
        return {"kind": self._kinds.get(iri, INDIVIDUAL), "said": said, **row}

    def _value(self, property_: NamedNode, value: Any) -> Phrase:
        if property_ in _BY_CHAIN:
            return self._phrases.chain(value)
        return self._phrases.path(value) if property_ == SH.path else self._phrases.term(value)

    def _elsewhere(self, iri: str, property_: NamedNode, value: Any) -> str:
        """The graph that says so, where it is not the one of the term's own document."""
        graphs = self._graphs.get(Triple(NamedNode(iri), property_, value), set())
        return "" if self._links.document(iri) in graphs or not graphs else min(graphs)

    def _relate(self, terms: dict[str, dict[str, Any]]) -> None:
        """What other terms say of a term: narrower ones, disjoint ones, inverses, shapes that constrain it."""
        owned = self._owners()
        for node in in_order(self._phrases.subjects()):
            said = self._phrases.of(node)
            if isinstance(node, NamedNode):
                for property_, key in ((RDFS.subClassOf, "narrower"), (RDFS.subPropertyOf, "narrower")):
                    _put(terms, key, ((value, node) for value in said.get(property_, [])))
                _put(terms, "disjoint", ((value, node) for value in said.get(OWL.disjointWith, [])))
                _put(terms, "disjoint", ((node, value) for value in said.get(OWL.disjointWith, [])))
                _put(terms, "inverse", ((value, node) for value in said.get(OWL.inverseOf, [])))
                _put(terms, "inverse", ((node, value) for value in said.get(OWL.inverseOf, [])))
            if not set(_ALL_DISJOINT).isdisjoint(said.get(RDF.type, [])):
                members = [item for cell in said.get(OWL.members, []) for item in self._phrases.items(cell)]
                _put(terms, "disjoint", ((one, other) for one in members for other in members if one != other))
            for path in said.get(SH.path, []):
                named = dict.fromkeys(names_in(self._phrases.path(path)))
                owners = [node] if isinstance(node, NamedNode) else owned.get(node, [])
                _put(terms, "constrained", ((NamedNode(iri), owner) for iri in named for owner in owners))
            _put(terms, "used_by", ((value, node) for value in said.get(SH.property, [])))

    def _owners(self) -> dict[Node, list[Node]]:
        """The shapes that name each property shape."""
        found: dict[Node, list[Node]] = {}
        for node in in_order(self._phrases.subjects()):
            for value in self._phrases.of(node).get(SH.property, []):
                found.setdefault(value, []).append(node)
        return found

    def _targets(self) -> dict[str, list[str]]:
        """The node shapes of each class."""
        found: dict[str, list[str]] = {}
        for shape in shapes.node_shapes(self._phrases):
            for class_ in shapes.targets(self._phrases, shape):
                found.setdefault(class_, []).append(name_of(shape))
        return found

    def _use(self, terms: dict[str, dict[str, Any]]) -> None:
        """How many members and statements there are, with the examples of which most is said."""
        members: dict[str, list[tuple[int, str]]] = {}
        uses: dict[str, tuple[int, str, Phrase]] = {}
        for triple in self._triples:
            if not isinstance(triple.subject, NamedNode):
                continue
            rank = (-self._weight[triple.subject], triple.subject.value)
            if triple.predicate == RDF.type and name_of(triple.object) in terms:
                members.setdefault(name_of(triple.object), []).append(rank)
            if triple.predicate.value in terms and not isinstance(triple.object, (BlankNode, Triple)):
                uses[triple.predicate.value] = min(
                    uses.get(triple.predicate.value, (1, "", [])), (*rank, _shortened(triple.object))
                )
        for iri, ranks in members.items():
            terms[iri]["samples"] = [name for _, name in sorted(ranks)[:_SAMPLES]]
            terms[iri]["members"] = self._statistics["classes"].get(iri, 0)
        for iri in terms.keys() & self._statistics["properties"].keys():
            terms[iri]["uses"] = self._statistics["properties"][iri]
        for iri, (_, subject, phrase) in uses.items():
            terms[iri]["example"] = [subject, phrase]


def _kinds(stated: Iterable[Quad]) -> dict[str, str]:
    """The kind of everything that has a name and a type."""
    types: dict[str, set[Any]] = {}
    for quad in stated:
        if quad.predicate == RDF.type and isinstance(quad.subject, NamedNode):
            types.setdefault(quad.subject.value, set()).add(quad.object)
    return {iri: kind_of(found) for iri, found in types.items()}


def _about(stated: Iterable[Quad], kinds: Mapping[str, str], documents: Mapping[str, Sequence[str]]) -> Iterable[Quad]:
    """The statements about terms, wherever they stand, and all of the graphs that state terms' nameless parts."""
    terms = {iri for iris in documents.values() for iri in iris}
    wanted = {
        name_of(quad.graph_name)
        for quad in stated
        if quad.predicate == RDF.type and kinds.get(name_of(quad.subject)) in _DEFINING
    }
    return (quad for quad in stated if name_of(quad.subject) in terms or name_of(quad.graph_name) in wanted)


def _put(terms: dict[str, dict[str, Any]], key: str, pairs: Iterable[tuple[Any, Any]]) -> None:
    """Add the second of each pair to the list that the first keeps under a key."""
    for of, value in pairs:
        if isinstance(value, NamedNode) and name_of(of) in terms:
            found = terms[name_of(of)].setdefault(key, [])
            if value.value not in found:
                found.append(value.value)


def _texts(record: Any) -> Iterator[str]:
    """Every text in a record, the keys of its dictionaries among them."""
    if isinstance(record, str):
        yield record
    elif isinstance(record, dict):
        yield from record
        yield from _texts(list(record.values()))
    elif isinstance(record, list | tuple):
        for part in record:
            yield from _texts(part)


def _shortened(term: Any) -> Phrase:
    if isinstance(term, Literal):
        cut = term.value[:_LONGEST] + ("…" if len(term.value) > _LONGEST else "")
        return [["text", cut, term.language or "", ""]]
    return [["iri", name_of(term)]]
