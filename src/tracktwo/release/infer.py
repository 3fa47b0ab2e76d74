"""What follows about the data: OWL 2 RL by `reasonable`, property chains by us, to a common fixpoint.

`reasonable` covers the RL rules but derives no property chains (rule prp-spo2 of OWL 2 Profiles, section 4.3);
`owlrl` has them, but adds ten axiomatic triples for each one that is about the data. So the two steps take turns
until neither adds anything, and only statements about the data are kept.
"""

import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import reasonable
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple

from tracktwo.namespaces import OWL, RDF, RDFS, SH, XSD
from tracktwo.publication import Publication
from tracktwo.release.load import Input
from tracktwo.terms import Node, Term, in_graph, links_out, list_items, to_bytes

#: Properties whose literal value the rules read.
_CARDINALITIES = (OWL.maxCardinality, OWL.maxQualifiedCardinality, OWL.cardinality, OWL.minCardinality)

#: Namespaces whose terms say something about the language, not about the data.
_LANGUAGE = (OWL, RDF, RDFS, XSD)


def infer(publication: Publication, given: Input) -> list[Quad]:
    """The inferred statements about the data, sorted, in the publication's inferred graph.

    `owl:sameAs` to an IRI beyond the base is left out of the reasoning: it links two datasets, and rule eq-rep
    would publish a copy of each statement under the other's name.
    """
    asserted = {quad.triple for quad in given.quads}
    shapes = {quad.triple for quad in given.of("shapes")}
    premises = {triple for triple in asserted - shapes if not links_out(triple, publication.base_iri)}
    closure = _closure(premises)
    schema = _schema({quad.triple for quad in given.of("ontology")} | shapes)
    graph = NamedNode(publication.inferred_graph)
    kept = (triple for triple in closure - asserted if _about_data(triple, schema))
    return sorted((in_graph(triple, graph) for triple in kept), key=str)


def _schema(triples: set[Triple]) -> set[Node]:
    """What the vocabulary and the shapes are made of: their classes, properties, headers and anonymous parts."""
    typed = {
        triple.subject
        for triple in triples
        if triple.predicate == RDF.type and (_of_language(triple.object) or triple.object in SH)
    }
    return {
        subject
        for subject in typed | {triple.subject for triple in triples}
        if isinstance(subject, BlankNode) or (isinstance(subject, NamedNode) and subject in typed)
    }


def _closure(premises: set[Triple]) -> set[Triple]:
    """Everything that follows from the premises, they included."""
    chains = _chains(premises)
    known = _reason(premises)
    while fresh := _apply(chains, known) - known:
        known = _reason(known | fresh)
    return known


def _reason(triples: set[Triple]) -> set[Triple]:
    """One run of the RL rules, without functional properties that turn out to have literal values.

    The rules would take two values for two names of one thing, and the literals travel in disguise.
    """
    left_out: set[object] = set()
    while True:
        known = triples | _run(triple for triple in triples if not _functional(triple, left_out))
        with_literals = {triple.predicate for triple in known if isinstance(triple.object, Literal)}
        found = {triple.subject for triple in triples if _functional(triple, with_literals)}
        if found <= left_out:
            return known
        left_out |= found


def _functional(triple: Triple, properties: Collection[object]) -> bool:
    return triple.object == OWL.FunctionalProperty and triple.predicate == RDF.type and triple.subject in properties


def _run(premises: Iterable[Triple]) -> set[Triple]:
    """What the reasoner makes of the premises. Blank nodes and literals travel as IRIs, since it changes both."""
    sent = _Travel()
    reasoner = reasonable.PyReasoner()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "premises.ttl"
        path.write_bytes(to_bytes((sent.out(triple) for triple in premises), RdfFormat.N_TRIPLES))
        reasoner.load_file(str(path))
    derived = (sent.back(row) for row in reasoner.reason())
    return {triple for triple in derived if triple is not None}


class _Travel:
    """Writes triples so that the reasoner leaves their terms alone, and reads them again."""

    def __init__(self) -> None:
        self._away: dict[object, NamedNode] = {}
        self._home: dict[str, NamedNode | BlankNode | Literal] = {}

    def out(self, triple: Triple) -> Triple:
        keep = triple.predicate in _CARDINALITIES
        object_ = triple.object if keep else self._name(triple.object)
        return Triple(self._name(triple.subject), triple.predicate, object_)  # type: ignore[arg-type]  # no triple terms

    def back(self, row: Sequence[object]) -> Triple | None:
        """A triple from one of the reasoner's rows of rdflib terms; None where it is none that RDF allows."""
        subject, predicate, object_ = (
            self._home.get(str(term)) or NamedNode(str(term)) if type(term).__name__ == "URIRef" else None
            for term in row
        )
        if isinstance(subject, Literal) or subject is None or object_ is None or not isinstance(predicate, NamedNode):
            return None
        return Triple(subject, predicate, object_)

    def _name(self, term: Term) -> Term:
        if not isinstance(term, (BlankNode, Literal)):
            return term
        if term not in self._away:
            name = NamedNode(f"urn:tracktwo:term:{len(self._away)}")
            self._away[term], self._home[name.value] = name, term
        return self._away[term]


def _chains(triples: Iterable[Triple]) -> list[tuple[NamedNode, list[Node]]]:
    """(property, its chain of properties) for each `owl:propertyChainAxiom`."""
    first: dict[object, list[Node]] = defaultdict(list)
    rest: dict[object, list[Node]] = defaultdict(list)
    heads: list[tuple[NamedNode, Node]] = []
    for triple in triples:
        if triple.predicate == RDF.first and isinstance(triple.object, (NamedNode, BlankNode)):
            first[triple.subject].append(triple.object)
        elif triple.predicate == RDF.rest and isinstance(triple.object, (NamedNode, BlankNode)):
            rest[triple.subject].append(triple.object)
        elif (
            triple.predicate == OWL.propertyChainAxiom
            and isinstance(triple.subject, NamedNode)
            and isinstance(triple.object, (NamedNode, BlankNode))
        ):
            heads.append((triple.subject, triple.object))
    return [(head, list_items(cell, lambda at: (first[at], rest[at]))) for head, cell in sorted(heads, key=str)]


def _apply(chains: Sequence[tuple[NamedNode, list[Node]]], triples: set[Triple]) -> set[Triple]:
    """Rule prp-spo2: what the chains add in one step."""
    steps = {step for _, chain in chains for step in chain}
    inverses = {step: _inverse_of(step, triples) for step in steps if isinstance(step, BlankNode)}
    edges: dict[object, dict[Node, set[Term]]] = defaultdict(lambda: defaultdict(set))
    wanted = steps | set(inverses.values())
    for triple in triples:
        if triple.predicate in wanted and isinstance(triple.subject, (NamedNode, BlankNode)):
            edges[triple.predicate][triple.subject].add(triple.object)
            if isinstance(triple.object, (NamedNode, BlankNode)):
                edges["inverse", triple.predicate][triple.object].add(triple.subject)
    for blank, plain in inverses.items():
        edges[blank] = edges["inverse", plain]
    found = ((start, head, end) for head, chain in chains for start, end in _paths([edges[step] for step in chain]))
    return {Triple(start, head, end) for start, head, end in found}


def _inverse_of(step: BlankNode, triples: set[Triple]) -> object:
    """The property that an anonymous inverse `[ owl:inverseOf p ]` turns round."""
    return next(
        (triple.object for triple in triples if triple.subject == step and triple.predicate == OWL.inverseOf), None
    )


def _paths(steps: Sequence[Mapping[Node, set[Term]]]) -> set[tuple[Node, Term]]:
    """(start, end) of every path that follows the steps."""
    if not steps:
        return set()
    pairs = {(start, end) for start, ends in steps[0].items() for end in ends}
    for step in steps[1:]:
        pairs = {(start, end) for start, middle in pairs for end in step.get(middle, ())}  # type: ignore[arg-type]  # others have no key
    return pairs


def _about_data(triple: Triple, schema: set[Node]) -> bool:
    """Does an inferred statement say something about the data, and not about OWL or the vocabulary?"""
    if (
        triple.subject in schema
        or _of_language(triple.subject)
        or (_of_language(triple.predicate) and triple.predicate not in (RDF.type, OWL.sameAs))
    ):
        return False
    if triple.predicate == RDF.type:
        return isinstance(triple.object, NamedNode) and not _of_language(triple.object)
    if isinstance(triple.object, BlankNode) and triple.object in schema:
        return False
    return not (triple.predicate == OWL.sameAs and triple.subject == triple.object)


def _of_language(term: object) -> bool:
    return any(term in namespace for namespace in _LANGUAGE)
