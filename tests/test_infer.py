"""What is inferred follows about the data: the OWL 2 RL rules that publications use, and nothing about OWL itself."""

import contextlib
import warnings
from collections.abc import Iterable
from pathlib import Path

import owlrl
import pytest
import rdflib
from conftest import EX, PREFIXES, Built, write_publication
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple

from tracktwo.errors import TracktwoError
from tracktwo.namespaces import OWL, RDF, RDFS, SH, XSD
from tracktwo.release.infer import infer
from tracktwo.release.load import Input, SourceFile, read
from tracktwo.terms import Node, to_bytes

LANGUAGE = (OWL, RDF, RDFS, XSD)


def ex(name: str) -> NamedNode:
    return NamedNode(EX + name)


def inferred(root: Path, ontology: str, data: str) -> set[Triple]:
    """What follows from a few lines of ontology and data."""
    files = {
        "ontology/ontology.ttl": f"{PREFIXES}ex:ontology a owl:Ontology .\n{ontology}",
        "data/data.ttl": PREFIXES + data,
    }
    publication = write_publication(root, files)
    return {quad.triple for quad in infer(publication, read(publication))}


def triples(text: str) -> set[Triple]:
    """`a p b, c q d` as triples of the example namespace; `a` as a property is rdf:type."""
    rows = [row.split() for row in text.split(",") if row.strip()]
    return {
        Triple(ex(subject), RDF.type if predicate == "a" else ex(predicate), ex(object_))
        for subject, predicate, object_ in rows
    }


RULES: dict[str, tuple[str, str, str]] = {
    "subclass": (
        "ex:Dog rdfs:subClassOf ex:Animal . ex:Animal rdfs:subClassOf ex:Being .",
        "ex:rex a ex:Dog .",
        "rex a Animal, rex a Being",
    ),
    "equivalent class": (
        "ex:Dog owl:equivalentClass ex:Hound .",
        "ex:rex a ex:Dog . ex:tim a ex:Hound .",
        "rex a Hound, tim a Dog",
    ),
    "subproperty": ("ex:owns rdfs:subPropertyOf ex:has .", "ex:ann ex:owns ex:rex .", "ann has rex"),
    "inverse": (
        "ex:owns owl:inverseOf ex:ownedBy .",
        "ex:ann ex:owns ex:rex . ex:tim ex:ownedBy ex:bob .",
        "rex ownedBy ann, bob owns tim",
    ),
    "symmetric": ("ex:knows a owl:SymmetricProperty .", "ex:ann ex:knows ex:bob .", "bob knows ann"),
    "transitive": (
        "ex:in a owl:TransitiveProperty .",
        "ex:a ex:in ex:b . ex:b ex:in ex:c . ex:c ex:in ex:d .",
        "a in c, a in d, b in d",
    ),
    "transitive cycle": ("ex:in a owl:TransitiveProperty .", "ex:a ex:in ex:b . ex:b ex:in ex:a .", "a in a, b in b"),
    "domain and range": (
        "ex:owns rdfs:domain ex:Person ; rdfs:range ex:Thing .",
        "ex:ann ex:owns ex:rex .",
        "ann a Person, rex a Thing",
    ),
    "chain": (
        "ex:uncle owl:propertyChainAxiom ( ex:parent ex:brother ) .",
        "ex:a ex:parent ex:b . ex:b ex:brother ex:c .",
        "a uncle c",
    ),
    "chain of three": (
        "ex:x owl:propertyChainAxiom ( ex:p ex:q ex:r ) .",
        "ex:a ex:p ex:b . ex:b ex:q ex:c . ex:c ex:r ex:d, ex:e .",
        "a x d, a x e",
    ),
    "chain of one": ("ex:x owl:propertyChainAxiom ( ex:p ) .", "ex:a ex:p ex:b .", "a x b"),
    "two chains": (
        "ex:x owl:propertyChainAxiom ( ex:p ex:q ), ( ex:q ex:p ) .",
        "ex:a ex:p ex:b . ex:b ex:q ex:c . ex:c ex:p ex:d .",
        "a x c, b x d",
    ),
    "chain that leads nowhere": (
        "ex:x owl:propertyChainAxiom ( ex:p ex:q ) .",
        "ex:a ex:p ex:b . ex:c ex:q ex:d .",
        "",
    ),
    "chain with an anonymous inverse": (
        "ex:sibling owl:propertyChainAxiom ( ex:parent [ owl:inverseOf ex:parent ] ) .",
        "ex:a ex:parent ex:p . ex:b ex:parent ex:p .",
        "a sibling a, a sibling b, b sibling a, b sibling b",
    ),
    "chain that starts with an anonymous inverse": (
        "ex:met owl:propertyChainAxiom ( [ owl:inverseOf ex:host ] ex:guest ) .",
        "ex:party ex:host ex:ann ; ex:guest ex:bob .",
        "ann met bob",
    ),
    "recursive chain": (
        "ex:under owl:propertyChainAxiom ( ex:under ex:next ) .",
        "ex:a ex:under ex:b . ex:b ex:next ex:c . ex:c ex:next ex:d . ex:d ex:next ex:a .",
        "a under c, a under d, a under a",
    ),
    "chain over what follows": (
        "ex:in a owl:TransitiveProperty . ex:on rdfs:subPropertyOf ex:near . "
        "ex:at owl:propertyChainAxiom ( ex:near ex:in ) .",
        "ex:x ex:on ex:a . ex:a ex:in ex:b . ex:b ex:in ex:c .",
        "a in c, x near a, x at b, x at c",
    ),
    "what follows from a chain": (
        "ex:at owl:propertyChainAxiom ( ex:on ex:in ) ; owl:inverseOf ex:holds . ex:holds rdfs:domain ex:Place .",
        "ex:x ex:on ex:a . ex:a ex:in ex:b .",
        "x at b, b holds x, b a Place",
    ),
    "someValuesFrom": (
        "ex:Served owl:equivalentClass [ a owl:Restriction ; owl:onProperty ex:has ; owl:someValuesFrom ex:Port ] .",
        "ex:s ex:has ex:p . ex:p a ex:Port . ex:t ex:has ex:q .",
        "s a Served",
    ),
    "someValuesFrom after a chain": (
        "ex:Served owl:equivalentClass [ a owl:Restriction ; owl:onProperty ex:at ; owl:someValuesFrom ex:Port ] . "
        "ex:at owl:propertyChainAxiom ( ex:on ex:in ) . ex:Harbour rdfs:subClassOf ex:Port .",
        "ex:x ex:on ex:a . ex:a ex:in ex:b . ex:b a ex:Harbour .",
        "x at b, b a Port, x a Served",
    ),
    "hasValue": (
        "ex:Greek owl:equivalentClass [ a owl:Restriction ; owl:onProperty ex:in ; owl:hasValue ex:greece ] .",
        "ex:a ex:in ex:greece . ex:b a ex:Greek .",
        "a a Greek, b in greece",
    ),
    "intersection": (
        "ex:Old owl:equivalentClass [ owl:intersectionOf ( ex:A ex:B ) ] .",
        "ex:x a ex:A, ex:B . ex:y a ex:Old . ex:z a ex:A .",
        "x a Old, y a A, y a B",
    ),
    "union": ("ex:Either owl:unionOf ( ex:A ex:B ) .", "ex:x a ex:A . ex:y a ex:B .", "x a Either, y a Either"),
    "nothing to infer": ("ex:Dog a owl:Class .", "ex:rex a ex:Dog .", ""),
}


@pytest.mark.parametrize(("ontology", "data", "expected"), RULES.values(), ids=RULES)
def test_a_rule_gives_what_it_should_and_no_more(tmp_path: Path, ontology: str, data: str, expected: str) -> None:
    assert triples(expected) == inferred(tmp_path, ontology, data)


def test_a_chain_that_is_no_list_is_passed_over_or_told(tmp_path: Path) -> None:
    with contextlib.suppress(TracktwoError):
        assert set() == inferred(tmp_path, "ex:x owl:propertyChainAxiom [ rdf:first ex:p ] .", "ex:a ex:p ex:b .")


def test_what_is_inferred_stands_sorted_in_the_inferred_graph(tmp_path: Path) -> None:
    files = {
        "ontology/o.ttl": PREFIXES + "ex:in a owl:TransitiveProperty .",
        "data/d.ttl": PREFIXES + "ex:a ex:in ex:b . ex:b ex:in ex:c . ex:c ex:in ex:d .",
    }
    publication = write_publication(tmp_path, files)
    quads = infer(publication, read(publication))
    assert quads == sorted(quads, key=str)
    assert {ex("graph/inferred")} == {quad.graph_name for quad in quads}


def test_the_same_input_gives_the_same_inferences(each: Built) -> None:
    given = read(each.publication)
    assert infer(each.publication, given) == infer(each.publication, given)


def test_what_is_stated_is_not_inferred_too(each: Built) -> None:
    given = read(each.publication)
    found = infer(each.publication, given)
    assert len(found) >= 150
    assert len(found) == len({quad.triple for quad in found})
    assert set() == {quad.triple for quad in found} & {quad.triple for quad in given.quads}


# --- literals --------------------------------------------------------------------------------------------------------

LITERALS = [
    Literal("01", datatype=XSD.integer),
    Literal("1.50", datatype=XSD.decimal),
    Literal("1E0", datatype=XSD.double),
    Literal("TRUE", datatype=XSD.boolean),
    Literal("2024-02-29T24:00:00Z", datatype=XSD.dateTime),
    Literal("not a number", datatype=XSD.integer),
    Literal("x", datatype=ex("datatype")),
    Literal("χαῖρε", language="grc"),
    Literal("燈塔", language="zh-hant-tw"),
    Literal('"quoted"\n\t\\ \u0001'),
    Literal(""),
]


def test_literals_keep_their_form_and_their_tags(tmp_path: Path) -> None:
    publication = write_publication(tmp_path)
    graph, about = ex("graph/data"), ex("graph/about")
    data = [Quad(ex("x"), ex("narrow"), literal, graph) for literal in LITERALS]
    schema = [Quad(ex("narrow"), RDFS.subPropertyOf, ex("wide"), about)]
    files = [
        SourceFile(tmp_path / "o.ttl", "ontology", (about.value,)),
        SourceFile(tmp_path / "d.ttl", "data", (graph.value,)),
    ]
    found = infer(publication, Input(files, [*schema, *data], []))
    assert {Triple(ex("x"), ex("wide"), literal) for literal in LITERALS} == {quad.triple for quad in found}


def test_no_literal_becomes_a_subject_or_has_a_type(tmp_path: Path) -> None:
    assert set() == inferred(
        tmp_path, "ex:age rdfs:range xsd:integer . ex:age a owl:DatatypeProperty .", "ex:a ex:age 7 ."
    )


AT_MOST_ONE = (
    "ex:One rdfs:subClassOf [ a owl:Restriction ; owl:onProperty ex:age ; {kind} '1'^^xsd:nonNegativeInteger {rest} ] ."
)
FUNCTIONAL = {
    "functional": "ex:age a owl:FunctionalProperty, owl:DatatypeProperty .",
    "functional above": "ex:age rdfs:subPropertyOf ex:number . ex:number a owl:FunctionalProperty .",
    "maxCardinality 1": AT_MOST_ONE.format(kind="owl:maxCardinality", rest=""),
    "maxQualifiedCardinality 1": AT_MOST_ONE.format(kind="owl:maxQualifiedCardinality", rest="; owl:onClass owl:Thing"),
}


@pytest.mark.parametrize("axiom", FUNCTIONAL.values(), ids=FUNCTIONAL)
def test_two_values_of_a_functional_property_are_not_taken_for_one(tmp_path: Path, axiom: str) -> None:
    found = inferred(tmp_path, axiom, "ex:a a ex:One ; ex:age 7, 8 . ex:b a ex:One ; ex:age 8, 9 . ex:c ex:age 7 .")
    assert set() == {triple for triple in found if triple.predicate == ex("age") or triple.predicate == OWL.sameAs}


def test_two_things_of_a_functional_property_are_one(tmp_path: Path) -> None:
    found = inferred(
        tmp_path, "ex:mother a owl:FunctionalProperty .", "ex:a ex:mother ex:ann, ex:anna . ex:ann ex:age 40 ."
    )
    assert {
        Triple(ex("ann"), OWL.sameAs, ex("anna")),
        Triple(ex("anna"), OWL.sameAs, ex("ann")),
        Triple(ex("anna"), ex("age"), Literal(40)),
    } == found


# --- names of others, blank nodes, the vocabulary itself -------------------------------------------------------------


def test_nothing_is_copied_under_a_foreign_name(tmp_path: Path) -> None:
    data = (
        "ex:a owl:sameAs <http://elsewhere.example/Q1> ; ex:says 'x' . "
        "<http://elsewhere.example/Q2> owl:sameAs ex:b . ex:b ex:has ex:a ."
    )
    assert set() == inferred(tmp_path, "", data)


def test_two_names_of_our_own_share_their_statements(tmp_path: Path) -> None:
    found = inferred(tmp_path, "", "ex:a owl:sameAs ex:b . ex:a ex:says 'x' . ex:c ex:has ex:b .")
    assert {
        Triple(ex("b"), ex("says"), Literal("x")),
        Triple(ex("c"), ex("has"), ex("a")),
        Triple(ex("b"), OWL.sameAs, ex("a")),
    } == found


def test_blank_nodes_of_the_data_take_part(tmp_path: Path) -> None:
    found = inferred(
        tmp_path, "ex:has owl:inverseOf ex:of . ex:has rdfs:range ex:Part .", "ex:a ex:has [ ex:says 'x' ] ."
    )
    assert {ex("of"), RDF.type} == {triple.predicate for triple in found}
    assert 1 == len({triple.subject for triple in found})
    assert all(isinstance(triple.subject, BlankNode) for triple in found)


def test_a_list_in_the_data_stays_as_it_is(tmp_path: Path) -> None:
    assert set() == inferred(tmp_path, "", "ex:a ex:calls ( ex:b 'c' () ) .")


def test_the_vocabulary_is_told_nothing_about_itself(tmp_path: Path) -> None:
    ontology = (
        "ex:A a owl:Class ; rdfs:subClassOf ex:B . ex:B a owl:Class ; rdfs:subClassOf ex:C ; owl:disjointWith ex:D . "
        "ex:p a owl:ObjectProperty ; rdfs:subPropertyOf ex:q ; rdfs:domain ex:A . ex:q rdfs:subPropertyOf ex:r ."
    )
    assert set() == inferred(tmp_path, ontology, "ex:x ex:unrelated ex:y .")


def about_the_language(term: object) -> bool:
    return any(term in namespace for namespace in LANGUAGE)


def test_nothing_inferred_speaks_of_owl_itself(each: Built) -> None:
    given = read(each.publication)
    found = infer(each.publication, given)
    ontology = {
        quad.subject for quad in given.of("ontology") if quad.predicate == RDF.type and about_the_language(quad.object)
    }
    assert len(ontology) >= 30
    assert [] == [quad for quad in found if about_the_language(quad.subject) or quad.subject in ontology]
    assert [] == [
        quad
        for quad in found
        if quad.predicate == RDF.type and (about_the_language(quad.object) or isinstance(quad.object, BlankNode))
    ]
    assert {RDF.type, OWL.sameAs} >= {quad.predicate for quad in found if about_the_language(quad.predicate)}


# --- an oracle -------------------------------------------------------------------------------------------------------


def links_out(triple: Triple, base: str) -> bool:
    return triple.predicate == OWL.sameAs and not all(
        isinstance(term, NamedNode) and term.value.startswith(base) for term in (triple.subject, triple.object)
    )


def oracle(premises: Iterable[Triple]) -> set[Triple]:
    """The closure by `owlrl`, a reasoner of others that has all rules of OWL 2 RL.

    Blank nodes and literals travel as IRIs, so that it neither renames nor rewrites them.
    """
    away: dict[object, NamedNode] = {}
    home: dict[str, Node | Literal] = {}

    def sent(term: object) -> NamedNode:
        if isinstance(term, NamedNode):
            return term
        assert isinstance(term, BlankNode | Literal)
        name = away.setdefault(term, NamedNode(f"urn:oracle:{len(away)}"))
        home[name.value] = term
        return name

    lines = (Triple(sent(triple.subject), triple.predicate, sent(triple.object)) for triple in premises)
    graph = rdflib.Graph().parse(data=to_bytes(lines, RdfFormat.N_TRIPLES), format="nt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    closure = set()
    for row in graph:
        if all(isinstance(term, rdflib.URIRef) for term in row):
            subject, predicate, object_ = (home.get(str(term), NamedNode(str(term))) for term in row)
            if not isinstance(subject, Literal) and isinstance(predicate, NamedNode):
                closure.add(Triple(subject, predicate, object_))
    return closure


def about_the_data(triple: Triple, schema: set[object]) -> bool:
    """The same question that `infer` asks, asked in another way."""
    subject, predicate, object_ = triple.subject, triple.predicate, triple.object
    if (
        subject in schema
        or about_the_language(subject)
        or object_ in {node for node in schema if isinstance(node, BlankNode)}
    ):
        return False
    if predicate == RDF.type:
        return isinstance(object_, NamedNode) and not about_the_language(object_)
    if predicate == OWL.sameAs:
        return subject != object_
    return not about_the_language(predicate)


def test_what_is_inferred_is_what_another_reasoner_infers_about_the_data(each: Built) -> None:
    given = read(each.publication)
    stated = {quad.triple for quad in given.quads}
    shapes = {quad.triple for quad in given.of("shapes")}
    vocabulary = {quad.triple for quad in given.of("ontology")} | shapes
    schema = {
        triple.subject
        for triple in vocabulary
        if isinstance(triple.subject, BlankNode)
        or (triple.predicate == RDF.type and (about_the_language(triple.object) or triple.object in SH))
    }
    premises = [triple for triple in stated - shapes if not links_out(triple, each.publication.base_iri)]
    closure = oracle(premises)
    assert len(closure) >= len(premises) + 500
    ours = {quad.triple for quad in infer(each.publication, given)}
    theirs = {triple for triple in closure - stated if about_the_data(triple, set(schema))}
    assert len(theirs) >= 150
    assert set() == ours - theirs, "we infer what does not follow"
    assert set() == theirs - ours, "we miss what follows"
