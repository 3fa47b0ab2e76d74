"""Why a statement follows: each rule alone, chains of them, and every statement of the real inferred graphs."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
import serving
from conftest import EX, PREFIXES, built, write_publication
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple
from serving import CHROME, HTML, kind
from serving import Site as Served

from tracktwo.explain import LOOK_UPS, RULES, Explainer, Explanation
from tracktwo.namespaces import OWL, RDF, XSD
from tracktwo.terms import Node, Term
from tracktwo.web.site import Options, Site, open_site
from tracktwo.web.why import asked

own_site = serving.own_site

#: An ontology and data for each rule, and the statement that follows by it.
CASES: dict[str, tuple[str, str, str]] = {
    "cax-sco": ("ex:Dog rdfs:subClassOf ex:Animal .", "ex:rex a ex:Dog .", "rex a Animal"),
    "cax-eqc1": ("ex:Dog owl:equivalentClass ex:Hound .", "ex:rex a ex:Dog .", "rex a Hound"),
    "cax-eqc2": ("ex:Dog owl:equivalentClass ex:Hound .", "ex:tim a ex:Hound .", "tim a Dog"),
    "prp-spo1": ("ex:owns rdfs:subPropertyOf ex:has .", "ex:ann ex:owns ex:rex .", "ann has rex"),
    "prp-eqp1": ("ex:owns owl:equivalentProperty ex:holds .", "ex:ann ex:owns ex:rex .", "ann holds rex"),
    "prp-eqp2": ("ex:owns owl:equivalentProperty ex:holds .", "ex:ann ex:holds ex:rex .", "ann owns rex"),
    "prp-inv1": ("ex:owns owl:inverseOf ex:ownedBy .", "ex:ann ex:owns ex:rex .", "rex ownedBy ann"),
    "prp-inv2": ("ex:owns owl:inverseOf ex:ownedBy .", "ex:tim ex:ownedBy ex:bob .", "bob owns tim"),
    "prp-symp": ("ex:knows a owl:SymmetricProperty .", "ex:ann ex:knows ex:bob .", "bob knows ann"),
    "prp-trp": ("ex:in a owl:TransitiveProperty .", "ex:a ex:in ex:b . ex:b ex:in ex:c .", "a in c"),
    "prp-spo2": (
        "ex:uncle owl:propertyChainAxiom ( ex:parent ex:brother ) .",
        "ex:a ex:parent ex:b . ex:b ex:brother ex:c .",
        "a uncle c",
    ),
    "prp-dom": ("ex:owns rdfs:domain ex:Person .", "ex:ann ex:owns ex:rex .", "ann a Person"),
    "prp-rng": ("ex:owns rdfs:range ex:Good .", "ex:ann ex:owns ex:rex .", "rex a Good"),
    "cls-int1": ("ex:Old owl:intersectionOf ( ex:A ex:B ) .", "ex:x a ex:A, ex:B .", "x a Old"),
    "cls-int2": ("ex:Old owl:intersectionOf ( ex:A ex:B ) .", "ex:x a ex:Old .", "x a B"),
    "cls-uni": ("ex:Either owl:unionOf ( ex:A ex:B ) .", "ex:x a ex:B .", "x a Either"),
    "cls-svf1": (
        "ex:Served a owl:Restriction ; owl:onProperty ex:has ; owl:someValuesFrom ex:Port .",
        "ex:s ex:has ex:p . ex:p a ex:Port .",
        "s a Served",
    ),
    "cls-svf2": (
        "ex:Served a owl:Restriction ; owl:onProperty ex:has ; owl:someValuesFrom owl:Thing .",
        "ex:s ex:has ex:p .",
        "s a Served",
    ),
    "cls-avf": (
        "ex:Fleet a owl:Restriction ; owl:onProperty ex:has ; owl:allValuesFrom ex:Ship .",
        "ex:f a ex:Fleet ; ex:has ex:s .",
        "s a Ship",
    ),
    "cls-hv1": (
        "ex:Greek a owl:Restriction ; owl:onProperty ex:in ; owl:hasValue ex:greece .",
        "ex:b a ex:Greek .",
        "b in greece",
    ),
    "cls-hv2": (
        "ex:Greek a owl:Restriction ; owl:onProperty ex:in ; owl:hasValue ex:greece .",
        "ex:b ex:in ex:greece .",
        "b a Greek",
    ),
    "prp-fp": ("ex:head a owl:FunctionalProperty .", "ex:x ex:head ex:a, ex:b .", "a sameAs b"),
    "prp-ifp": (
        "ex:heads a owl:InverseFunctionalProperty .",
        "ex:a ex:heads ex:x . ex:b ex:heads ex:x .",
        "a sameAs b",
    ),
    "eq-sym": ("", "ex:a owl:sameAs ex:b .", "b sameAs a"),
    "eq-trans": ("", "ex:a owl:sameAs ex:b . ex:b owl:sameAs ex:c .", "a sameAs c"),
    "eq-rep-s": ("", "ex:a owl:sameAs ex:b ; ex:p ex:o .", "b p o"),
    "eq-rep-p": ("", "ex:p owl:sameAs ex:q . ex:x ex:p ex:y .", "x q y"),
    "eq-rep-o": ("", "ex:a owl:sameAs ex:b . ex:s ex:p ex:a .", "s p b"),
}

#: What follows by several rules, one over the other, the topmost first.
TOWERS: dict[str, tuple[str, str, str, list[str]]] = {
    "superclasses": (
        "ex:Dog rdfs:subClassOf ex:Animal . ex:Animal rdfs:subClassOf ex:Being .",
        "ex:rex a ex:Dog .",
        "rex a Being",
        ["cax-sco", "cax-sco"],
    ),
    "a class without a name": (
        "ex:Served owl:equivalentClass [ a owl:Restriction ; owl:onProperty ex:at ; owl:someValuesFrom ex:Port ] . "
        "ex:at owl:propertyChainAxiom ( ex:on ex:in ) . ex:Harbour rdfs:subClassOf ex:Port .",
        "ex:x ex:on ex:a . ex:a ex:in ex:b . ex:b a ex:Harbour .",
        "x a Served",
        ["cax-eqc2", "cls-svf1", "prp-spo2"],
    ),
    "classes without names in one another": (
        "ex:C owl:equivalentClass [ owl:intersectionOf ( ex:A [ a owl:Restriction ; owl:onProperty ex:p ; "
        "owl:someValuesFrom ex:D ] ) ] .",
        "ex:x a ex:A ; ex:p ex:y . ex:y a ex:D .",
        "x a C",
        ["cax-eqc2", "cls-int1", "cls-svf1"],
    ),
    "a chain of three": (
        "ex:x owl:propertyChainAxiom ( ex:p ex:q ex:r ) .",
        "ex:a ex:p ex:b . ex:b ex:q ex:c . ex:c ex:r ex:d .",
        "a x d",
        ["prp-spo2"],
    ),
    "a chain of one": ("ex:x owl:propertyChainAxiom ( ex:p ) .", "ex:a ex:p ex:b .", "a x b", ["prp-spo2"]),
    "a chain with an anonymous inverse": (
        "ex:sibling owl:propertyChainAxiom ( ex:parent [ owl:inverseOf ex:parent ] ) .",
        "ex:a ex:parent ex:p . ex:b ex:parent ex:p .",
        "a sibling b",
        ["prp-spo2"],
    ),
    "a chain that starts with an anonymous inverse": (
        "ex:met owl:propertyChainAxiom ( [ owl:inverseOf ex:host ] ex:guest ) .",
        "ex:party ex:host ex:ann ; ex:guest ex:bob .",
        "ann met bob",
        ["prp-spo2"],
    ),
    "a recursive chain": (
        "ex:under owl:propertyChainAxiom ( ex:under ex:next ) .",
        "ex:a ex:under ex:b . ex:b ex:next ex:c . ex:c ex:next ex:d .",
        "a under d",
        ["prp-spo2", "prp-spo2"],
    ),
    "a cycle": (
        "ex:in a owl:TransitiveProperty, owl:SymmetricProperty .",
        "ex:a ex:in ex:b . ex:b ex:in ex:c .",
        "c in a",
        ["prp-symp", "prp-trp"],
    ),
    "below an anonymous inverse": (
        "ex:q rdfs:subPropertyOf [ owl:inverseOf ex:p ] .",
        "ex:x ex:q ex:y .",
        "y p x",
        ["prp-spo1"],
    ),
    "a value by an anonymous inverse": (
        "ex:C owl:equivalentClass [ a owl:Restriction ; owl:onProperty [ owl:inverseOf ex:p ] ; owl:hasValue ex:v ] .",
        "ex:y a ex:C .",
        "v p y",
        ["cls-hv1", "cax-eqc1"],
    ),
    "an individual of the ontology": (
        "ex:g a owl:NamedIndividual, ex:D . ex:D rdfs:subClassOf ex:E . "
        "ex:Served a owl:Restriction ; owl:onProperty ex:has ; owl:someValuesFrom ex:E .",
        "ex:x ex:has ex:g .",
        "x a Served",
        ["cls-svf1", "cax-sco"],
    ),
}


@contextmanager
def opened(root: Path, ontology: str, data: str, shapes: str = "") -> Iterator[Site]:
    """A small publication, built and opened."""
    files = {
        "ontology/ontology.ttl": f"{PREFIXES}ex:ontology a owl:Ontology .\n{ontology}",
        "data/data.ttl": PREFIXES + data,
        **({"shapes/shapes.ttl": PREFIXES + shapes} if shapes else {}),
    }
    write_publication(root, files)
    release = built(root, root / "releases")
    site = open_site(release.release, Options(release.folder, "http://127.0.0.1:8000/"))
    try:
        yield site
    finally:
        site.close()


def statement(text: str) -> Triple:
    """`s p o` of the example namespace; `a` and `sameAs` are those of RDF and OWL."""
    subject, predicate, object_ = text.split()
    known = {"a": RDF.type, "sameAs": OWL.sameAs}
    return Triple(NamedNode(EX + subject), known.get(predicate, NamedNode(EX + predicate)), NamedNode(EX + object_))


def explained(site: Site, triple: Triple) -> Explanation:
    found = site.explainer.explain(triple)
    assert found is not None
    return found


def tower(explanation: Explanation) -> list[str]:
    """The rules of the tallest tower of first derivations."""
    if not explanation.derivations:
        return []
    derivation = explanation.derivations[0]
    return [derivation.rule, *max((tower(premise) for premise in derivation.premises), key=len, default=[])]


def check(site: Site, explanation: Explanation, above: tuple[Triple, ...] = ()) -> Iterator[Triple]:
    """Everything explained, once it is seen that all rests on sources, axioms exist and nothing rests on itself."""
    assert explanation.triple not in above
    inferred = site.publication.inferred_graph
    yield explanation.triple
    if not explanation.derivations:
        assert explanation.again or set(explanation.graphs) - {inferred}, explanation.triple
        return
    assert set(explanation.graphs) <= {inferred}
    for derivation in explanation.derivations:
        for axiom in derivation.axioms:
            assert set(axiom.graphs) - {inferred}
            assert isinstance(axiom.triple.subject, NamedNode | BlankNode)
            held = site.store.match(axiom.triple.subject, axiom.triple.predicate, axiom.triple.object)
            assert set(axiom.graphs) <= {
                quad.graph_name.value for quad in held if isinstance(quad.graph_name, NamedNode)
            }
        for premise in derivation.premises:
            yield from check(site, premise, (*above, explanation.triple))


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_explains_what_follows_by_it(tmp_path: Path, rule: str) -> None:
    ontology, data, expected = CASES[rule]
    with opened(tmp_path, ontology, data) as site:
        found = explained(site, statement(expected))
        assert rule in [derivation.rule for derivation in found.derivations]
        assert list(check(site, found))
        assert {f"{EX}graph/data"} == {
            graph
            for one in found.derivations
            if one.rule == rule
            for premise in one.premises
            for graph in premise.graphs
        }


def test_every_rule_has_a_case() -> None:
    assert list(RULES) == list(CASES)


@pytest.mark.parametrize(("ontology", "data", "expected", "rules"), TOWERS.values(), ids=TOWERS)
def test_rules_stand_one_over_the_other(
    tmp_path: Path, ontology: str, data: str, expected: str, rules: list[str]
) -> None:
    with opened(tmp_path, ontology, data) as site:
        found = explained(site, statement(expected))
        assert rules == tower(found)
        assert list(check(site, found))


def test_a_statement_with_a_literal_is_explained(tmp_path: Path) -> None:
    literal = Literal("7", datatype=XSD.integer)
    with opened(tmp_path, "ex:age rdfs:subPropertyOf ex:number .", "ex:a ex:age 7 .") as site:
        found = explained(site, Triple(NamedNode(EX + "a"), NamedNode(EX + "number"), literal))
        assert ["prp-spo1"] == tower(found)
        assert literal == found.derivations[0].premises[0].triple.object


def test_what_a_source_states_is_not_derived(tmp_path: Path) -> None:
    with opened(tmp_path, "ex:Dog rdfs:subClassOf ex:Animal .", "ex:rex a ex:Dog, ex:Animal .") as site:
        found = explained(site, statement("rex a Animal"))
    assert ((f"{EX}graph/data",), ()) == (found.graphs, found.derivations)


def test_what_the_release_does_not_hold_is_not_explained(tmp_path: Path) -> None:
    with opened(tmp_path, "ex:Dog rdfs:subClassOf ex:Animal .", "ex:rex a ex:Dog .") as site:
        assert site.explainer.explain(statement("rex a Cat")) is None


def test_the_shapes_are_no_premises(tmp_path: Path) -> None:
    shapes = "ex:S a sh:NodeShape ; sh:targetClass ex:Dog . ex:Cat rdfs:subClassOf ex:Animal ."
    data = "ex:rex a ex:Dog, ex:Cat ."
    with opened(tmp_path, "ex:Dog rdfs:subClassOf ex:Animal .", data, shapes) as site:
        found = explained(site, statement("rex a Animal"))
    assert [statement("Dog a Class").subject] == [axiom.triple.subject for axiom in found.derivations[0].axioms]


def test_a_link_to_another_dataset_is_no_premise(tmp_path: Path) -> None:
    data = "ex:a owl:sameAs <http://other.example/a>, ex:b ; ex:p ex:o . <http://other.example/a> ex:p ex:o ."
    with opened(tmp_path, "", data) as site:
        found = explained(site, statement("b p o"))
        assert {f"{EX}a"} == {
            premise.triple.subject.value
            for derivation in found.derivations
            for premise in derivation.premises
            if isinstance(premise.triple.subject, NamedNode)
        }


def test_several_ways_are_told(tmp_path: Path) -> None:
    with opened(tmp_path, "ex:A rdfs:subClassOf ex:C . ex:B rdfs:subClassOf ex:C .", "ex:x a ex:A, ex:B .") as site:
        found = explained(site, statement("x a C"))
    assert ["cax-sco", "cax-sco"] == [derivation.rule for derivation in found.derivations]


def test_a_statement_is_explained_once(tmp_path: Path) -> None:
    ontology = (
        "ex:Old owl:intersectionOf ( ex:A ex:B ) . ex:A rdfs:subClassOf ex:Z . ex:D rdfs:subClassOf ex:E . "
        "ex:E rdfs:subClassOf ex:A, ex:B ."
    )
    with opened(tmp_path, ontology, "ex:x a ex:D .") as site:
        found = explained(site, statement("x a Old"))
        listed = [premise.derivations[0].premises[0] for premise in found.derivations[0].premises]
        assert [False, True] == [one.again for one in listed]


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, site: Site) -> None:
        self._store = site.store
        self.asked = 0

    def match(self, subject: Node | None, predicate: NamedNode | None, object_: Term | None) -> list[Quad]:
        self.asked += 1
        return self._store.match(subject, predicate, object_)


def counting(site: Site) -> tuple[Explainer, Counting]:
    store = Counting(site)
    explainer = site.explainer
    return Explainer(store, explainer.inferred_graph, explainer.left_out, explainer.base_iri), store  # type: ignore[arg-type]  # counts


def test_a_search_ends_at_its_bounds_and_says_so(tmp_path: Path) -> None:
    """In a loop of many steps everything follows from everything."""
    data = "".join(f"ex:n{number} ex:in ex:n{(number + 1) % 60} .\n" for number in range(60))
    with opened(tmp_path, "ex:in a owl:TransitiveProperty .", data) as site:
        explainer, store = counting(site)
        outcomes: Counter[bool] = Counter()
        for number in (2, 3, 4, 20, 30, 59):
            store.asked = 0
            found = explainer.explain(statement(f"n0 in n{number}"))
            assert found is not None
            assert store.asked <= LOOK_UPS + 1
            assert found.gave_up != bool(found.derivations)
            outcomes[found.gave_up] += 1
        assert outcomes[False] >= 3
        assert outcomes[True] >= 1


def test_a_list_that_comes_back_to_itself_ends_no_search(tmp_path: Path) -> None:
    loop = "ex:A owl:unionOf _:list . _:list rdf:first ex:B ; rdf:rest _:list . ex:B rdfs:subClassOf ex:A ."
    with opened(tmp_path, loop, "ex:n0 a ex:B .\n") as site:
        found = explained(site, statement("n0 a A"))
        assert {"cax-sco"} == {derivation.rule for derivation in found.derivations}


def test_a_long_line_is_explained_to_its_end(tmp_path: Path) -> None:
    data = "".join(f"ex:n{number} ex:in ex:n{number + 1} .\n" for number in range(20))
    with opened(tmp_path, "ex:in a owl:TransitiveProperty .", data) as site:
        found = explained(site, statement("n0 in n20"))
        rows = {f"{EX}n{number}" for number in range(20)}
        assert rows == {triple.subject.value for triple in check(site, found) if isinstance(triple.subject, NamedNode)}


def test_every_inferred_statement_is_explained(each_opened: Site) -> None:
    explainer, store = counting(each_opened)
    inferred = list(each_opened.store.graph(each_opened.publication.inferred_graph))
    assert len(inferred) >= 150
    kinds = {(one.predicate, one.object if one.predicate == RDF.type else None) for one in inferred}
    rules: Counter[str] = Counter()
    most = 0
    for triple in inferred:
        store.asked = 0
        found = explainer.explain(triple)
        assert found is not None
        assert found.derivations, triple
        assert list(check(each_opened, found))
        rules.update({derivation.rule for derivation in found.derivations})
        most = max(most, store.asked)
    assert len(kinds) >= 10
    assert len(rules) >= 5
    assert most <= 150


def test_the_own_release_has_many_inferred_statements_of_many_kinds(own_opened: Site) -> None:
    inferred = list(own_opened.store.graph(own_opened.publication.inferred_graph))
    assert len(inferred) >= 4000
    assert len({triple.predicate for triple in inferred}) >= 18


# --- the page --------------------------------------------------------------------------------------------------------


def followed(site: Served, path: str) -> httpx.Response:
    response = site.get(path, CHROME)
    assert (200, HTML) == (response.status_code, kind(response)), path
    return response


def inferred_rows(site: Served, limit: int) -> list[tuple[str, str, str]]:
    """(subject, property, object) of inferred statements whose objects are IRIs, some of each property."""
    text = "SELECT ?s ?p ?o { GRAPH <%s> { ?s ?p ?o FILTER(isIRI(?o)) } } ORDER BY MD5(CONCAT(STR(?s), STR(?o)))"
    rows = list(csv.reader(io.StringIO(site.query(text % (site.base_iri + "graph/inferred"), "text/csv").text)))[1:]
    taken: Counter[str] = Counter()
    found = []
    for subject, property_, object_ in rows:
        key = property_ if not property_.endswith("#type") else object_
        taken[key] += 1
        if taken[key] <= limit:
            found.append((subject, property_, object_))
    return found


def path_of(**given: str) -> str:
    return "/why?" + urlencode(given)


def test_every_kind_of_inferred_statement_has_a_page(own_site: Served) -> None:
    rows = inferred_rows(own_site, 1)
    assert len(rows) >= 38
    for subject, property_, object_ in rows:
        page = followed(own_site, path_of(subject=subject, property=property_, object=object_)).text
        assert 'class="rule"' in page
        assert "stated by" in page
        assert '<meta name="robots" content="noindex">' in page


def test_the_page_of_what_a_source_states_says_which(own_site: Served) -> None:
    text = "SELECT ?s ?o ?g { GRAPH ?g { ?s skos:definition ?o } FILTER(LANG(?o) = 'en') } LIMIT 1"
    subject, value, graph = list(csv.reader(io.StringIO(own_site.query(text, "text/csv").text)))[1]
    property_ = "http://www.w3.org/2004/02/skos/core#definition"
    path = path_of(subject=subject, property=property_, value=value, language="en")
    page = followed(own_site, path).text
    assert "It is stated by" in page
    assert "rule" not in page
    asked = own_site.get(path, "application/json").json()
    assert ([graph], []) == (asked["graphs"], asked["derivations"])
    assert {"type": "literal", "value": value, "xml:lang": "en"} == asked["object"]


def test_the_explanation_is_there_as_json(own_site: Served) -> None:
    subject, property_, object_ = next(row for row in inferred_rows(own_site, 1) if row[1].endswith("#tookPartIn"))
    path = path_of(subject=subject, property=property_, object=object_)
    found = own_site.get(path.replace("/why", "/why.json"), CHROME).json()
    assert own_site.get(path, "application/json").json() == found
    assert {"type": "uri", "value": property_} == found["property"]
    assert "prp-spo2" == found["derivations"][0]["rule"]
    assert 2 == len(found["derivations"][0]["premises"])
    assert found["derivations"][0]["axioms"][0]["graphs"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"subject": "not an iri", "property": EX + "p", "object": EX + "o"},
        {"subject": EX + "s", "property": "_:b", "object": EX + "o"},
        {"subject": EX + "s", "property": EX + "p", "object": "o"},
        {"subject": "_:", "property": EX + "p", "object": EX + "o"},
        {"subject": EX + "s", "property": EX + "p", "value": "x", "language": "not a tag"},
        {"subject": EX + "s", "property": EX + "p", "value": "x", "datatype": "none"},
        {"subject": EX + "s", "property": EX + "p", "object": EX + "o"},
        {"subject": EX + "s", "property": EX + "p", "value": "<script>alert(1)</script>"},
    ],
)
def test_what_is_not_there_has_no_page(own_site: Served, given: dict[str, str]) -> None:
    response = own_site.get(path_of(**given), CHROME)
    assert 404 == response.status_code
    assert "Name a statement" in response.text or "does not hold" in response.text
    assert "<script>alert" not in response.text


def test_crawlers_are_kept_off(own_site: Served) -> None:
    assert "Disallow: /why" in own_site.get("/robots.txt").text


def test_each_value_knows_the_page_that_tells_why(each_opened: Site) -> None:
    """The URL of a value names the statement that it stands for, be it a literal or a node without a name."""
    subjects = {quad.subject for quad in each_opened.store.match(None, RDF.type, None)}
    nodes = [node for node in sorted(subjects, key=str) if isinstance(node, NamedNode | BlankNode)]
    skipped = checked = 0
    for view in each_opened.describer.views(nodes[:: len(nodes) // 120 + 1], incoming=()):
        rows = [*(row for group in view.groups for row in group.rows), *view.derived]
        values = [(row.iri, value) for row in rows for value in row.values]
        for property_, value in [*values, *((RDF.type.value, type_) for type_ in view.types)]:
            url = each_opened.describer.why_url(view.iri, property_, value)
            if not url:
                skipped += 1
                continue
            given = dict(parse_qsl(urlsplit(url).query))
            found = each_opened.explainer.explain(asked(each_opened, given))
            assert found is not None, url
            graphs = {source.graph for source in value.sources}
            assert graphs <= set(found.graphs)
            checked += 1
    assert checked >= 200
    assert skipped <= checked / 20


def test_the_page_has_words_for_every_rule() -> None:
    template = files("tracktwo.web").joinpath("templates", "why.html").read_text(encoding="utf-8")
    assert list(RULES) == re.findall(r'^  "([a-z0-9-]+)": _\("', template, re.MULTILINE)
