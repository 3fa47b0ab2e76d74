"""The pages of documents that define terms: complete, in all languages, counted, safe, and cheap."""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import serving
from conftest import PREFIXES, Built, built, write_publication
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse
from serving import CHROME, N_TRIPLES
from serving import Site as Served
from werkzeug.test import TestResponse

from tracktwo.catalog import Catalog
from tracktwo.diagram import Branch, Name, neighbours, tree
from tracktwo.namespaces import OWL, RDF, RDFS, SH, SKOS
from tracktwo.release.phrases import Phrases
from tracktwo.store.embedded import EmbeddedStore
from tracktwo.vocabulary import Page, Phrase, Term
from tracktwo.web.app import create_app
from tracktwo.web.site import Options, Site, open_site

own_site, foreign_site = serving.own_site, serving.foreign_site

DOCUMENTS = [
    ("own_site", "/ontology"),
    ("own_site", "/shapes"),
    ("own_site", "/shapes/ontology"),
    ("foreign_site", "/vocab"),
    ("foreign_site", "/rules"),
]
TT = "https://w3id.org/tracktwo/ontology#"
PH = "https://data.pharos.example/vocab#"
_MOST_LOOK_UPS = 8
_MOST_BYTES = 150_000
_VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list["Element"]
    text: str = ""


@dataclass
class Html(HTMLParser):
    """A parsed page: its elements in order, with their texts."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    @cached_property
    def sections(self) -> dict[str, list[Element]]:
        """The elements within each that has an id."""
        found: dict[str, list[Element]] = {}
        for element in self.elements:
            for outer in element.inside:
                if "id" in outer.attributes:
                    found.setdefault(outer.attributes["id"], []).append(element)
        return found


@dataclass(frozen=True)
class Document:
    """A vocabulary as the site serves it: its triples, and its page."""

    site: Served
    iri: str
    triples: list[Triple]
    html: Html

    @cached_property
    def terms(self) -> set[str]:
        """The IRIs of the document's terms."""
        subjects = {triple.subject.value for triple in self.triples if isinstance(triple.subject, NamedNode)}
        return {subject for subject in subjects if subject.startswith(self.iri + "#")}


@pytest.fixture(scope="module")
def documents() -> dict[tuple[str, str], Document]:
    return {}


@pytest.fixture(params=DOCUMENTS, ids=lambda place: place[0].partition("_")[0] + place[1])
def document(request: pytest.FixtureRequest, documents: dict[tuple[str, str], Document]) -> Document:
    if request.param not in documents:
        name, path = request.param
        site: Served = request.getfixturevalue(name)
        triples = [quad.triple for quad in parse(site.get(path, N_TRIPLES).content, RdfFormat.N_TRIPLES)]
        page = Html(site.get(path, CHROME).text)
        documents[request.param] = Document(site, site.base_iri + path[1:], triples, page)
    return documents[request.param]


def page_of(site: Site, document: str) -> Page:
    return site.vocabularies.page(document, site.describer, site.questions)


def terms_of(page: Page) -> dict[str, Term]:
    return {term.label.iri: term for part in page.parts for term in part.terms}


def said(phrase: Phrase) -> str:
    """A phrase as plain text, names by their labels."""
    return re.sub(r"(?<=[(\[{]) | (?=[)\]},;])", "", " ".join(piece.text for piece in phrase))


def facts_of(term: Term) -> dict[str, list[str]]:
    return {fact.key or fact.name.text: [said(value.phrase) for value in fact.values] for fact in term.facts}


@contextmanager
def client_of(of: Built) -> Iterator[FlaskClient]:
    """A client of the site of a release, in this process."""
    app = create_app(Options(of.folder, "http://127.0.0.1/"))
    try:
        yield app.test_client()
    finally:
        app.extensions["follower"].close()


# Complete


def test_every_term_has_an_element_with_its_id(document: Document) -> None:
    ids = Counter(element.attributes["id"] for element in document.html.elements if "id" in element.attributes)
    terms = {iri.partition("#")[2] for iri in document.terms}
    assert len(terms) >= 14
    assert terms <= ids.keys()
    assert {1} == set(ids.values())


def test_definitions_stand_in_every_language_that_has_one(document: Document) -> None:
    shown: dict[str, set[tuple[str, str]]] = {}
    for id_, elements in document.html.sections.items():
        shown[id_] = {(element.attributes.get("lang", ""), element.text) for element in elements}
    definitions = [
        (triple.subject.value.partition("#")[2], triple.object.language, triple.object.value)
        for triple in document.triples
        if triple.predicate == SKOS.definition
        and isinstance(triple.object, Literal)
        and isinstance(triple.subject, NamedNode)
    ]
    assert len(definitions) >= (200 if document.iri.endswith("tracktwo/ontology") else 0)
    assert [] == [row for row in definitions if (row[1], row[2]) not in shown[row[0]]]


def test_every_label_is_shown(document: Document) -> None:
    shown = {id_: {element.text for element in elements} for id_, elements in document.html.sections.items()}
    labels = [
        (triple.subject.value.partition("#")[2], triple.object.value)
        for triple in document.triples
        if triple.predicate in (RDFS.label, SH.name)
        and isinstance(triple.subject, NamedNode)
        and isinstance(triple.object, Literal)
        and triple.subject.value in document.terms
    ]
    assert len(labels) >= 14
    assert [] == [(anchor, label) for anchor, label in labels if label not in shown[anchor]]


def test_the_contents_lead_to_every_part_and_term(document: Document) -> None:
    hrefs = {
        element.attributes["href"]
        for element in document.html.elements
        if element.tag == "a" and any(outer.attributes.get("class") == "contents" for outer in element.inside)
    }
    assert hrefs >= {"#" + iri.partition("#")[2] for iri in document.terms if iri.isascii()}
    ids = {element.attributes.get("id", "") for element in document.html.elements}
    assert {href[1:] for href in hrefs if href.startswith("#.")} <= ids


@pytest.mark.parametrize(("language", "first"), [("en", "en"), ("ru", "ru")])
def test_the_readers_language_comes_first(own_site: Served, language: str, first: str) -> None:
    page = Html(own_site.get(f"/ontology?lang={language}", CHROME).text)
    found = [
        element.attributes["lang"]
        for element in page.elements
        if element.attributes.get("class") == "definition" and element.tag == "p"
    ]
    assert len(found) >= 100
    assert {first} == set(found)


# Counted


@pytest.mark.parametrize(
    ("language", "status", "month", "folded"),
    [("en", "draft", "November", "in other languages"), ("ru", "черновик", "ноября", "на других языках")],
)
def test_the_head_says_status_days_and_changes_as_a_reader_does(
    own_site: Served, language: str, status: str, month: str, folded: str
) -> None:
    head = own_site.get(f"/ontology?lang={language}", CHROME).text.partition('</header>\n<nav class="contents"')[0]
    assert f">{status}</a>" in head
    assert '<a href="https://creativecommons.org/publicdomain/zero/1.0/" rel="license">' in head
    days = re.findall(r'<time datetime="(\d{4}-\d\d-\d\d)">([^<]*)</time>', head)
    assert len(days) == 2
    assert all(month in said for _, said in days)
    own, other = re.findall(
        rf'<dd>([^\n]*?)<details class="tongues"><summary>(?:\d+ )?{folded}</summary>(.*?)</details>', head
    )[0]
    assert f'class="tag">{language}<' in own
    assert f'class="tag">{language}<' not in other


def test_members_and_statements_are_those_of_the_manifest(each_opened: Site) -> None:
    statistics = each_opened.release.manifest["statistics"]
    checked = 0
    for document in each_opened.vocabularies.all["documents"]:
        for iri, term in terms_of(page_of(each_opened, document)).items():
            assert statistics["classes"].get(iri, 0) == term.members
            assert statistics["properties"].get(iri, 0) == term.uses
            checked += term.members > 0 or term.uses > 0
    assert checked >= 20


def test_a_class_links_to_the_list_of_its_members_and_names_some(own_site: Served) -> None:
    site = Html(own_site.get("/ontology", CHROME).text)
    browse = [element for element in site.sections["Meeting"] if "/browse/" in element.attributes.get("href", "")]
    listing = own_site.get(browse[0].attributes["href"], CHROME)
    assert 200 == listing.status_code
    assert browse[0].text.split()[0] in listing.text


def test_questions_that_name_a_term_are_linked(own_opened: Site) -> None:
    term = terms_of(page_of(own_opened, TT[:-1]))[TT + "outranks"]
    naming = [question.slug for question in own_opened.questions if re.search(r"\btt:outranks\b", question.text)]
    assert naming
    assert sorted(naming) == sorted(re.sub(r".*/query/|\?.*", "", piece.url) for piece in term.questions)


def test_a_class_shows_what_its_shape_expects(own_opened: Site) -> None:
    term = terms_of(page_of(own_opened, TT[:-1]))[TT + "Participation"]
    rows = {row.name.iri: row for table in term.tables for row in table.rows}
    engages = rows[TT + "engages"]
    assert ("1", "") == (engages.cardinality, engages.wished)
    assert "Violation" == engages.conditions[0].severity
    assert engages.conditions[0].message
    assert "meeting or dialogue or context event" == said(rows[TT + "contributesTo"].types[0])
    assert "0..1" == rows[TT + "isRankedAs"].wished
    assert term.diagram is not None
    assert {"meeting", "dialogue"} <= {box.text for box in term.diagram.boxes}


# Class expressions


def test_class_expressions_of_both_ontologies_are_readable(own_opened: Site, foreign_opened: Site) -> None:
    own, foreign = terms_of(page_of(own_opened, TT[:-1])), terms_of(page_of(foreign_opened, PH[:-1]))
    assert ["has served as some military rank"] == facts_of(own[TT + "Officer"])["same-class"]
    assert ["έχει λιμάνι some λιμάνι"] == facts_of(foreign[PH + "ServedIsland"])["same-class"]
    assert ["βρίσκεται πάνω σε ∘ μέρος του"] == facts_of(foreign[PH + "standsIn"])["chain"]
    assert ["has session ∘ discussed"] == facts_of(own[TT + "discussed"])["chain"]
    assert ["TransitiveProperty"] == [piece.text.partition(":")[2] for piece in own[TT + "outranks"].types]
    assert ["is session of"] == [piece.text for piece in own[TT + "hasSession"].related["inverse"]]


EXPRESSIONS = {
    "[ a owl:Restriction ; owl:onProperty ex:p ; owl:allValuesFrom [ owl:unionOf ( ex:A ex:B ) ] ]": "p only (A or B)",
    "[ owl:intersectionOf ( ex:A [ owl:onProperty ex:p ; owl:someValuesFrom ex:B ] ) ]": "A and (p some B)",
    "[ owl:complementOf [ owl:oneOf ( ex:A ex:B ) ] ]": "not {A, B}",
    "[ owl:onProperty ex:p ; owl:minQualifiedCardinality 2 ; owl:onClass ex:A ]": "p min 2 A",
    "[ owl:onProperty ex:p ; owl:cardinality 1 ]": "p exactly 1",
    "[ owl:onProperty [ owl:inverseOf ex:p ] ; owl:hasSelf true ]": "inverse p Self",
    "[ owl:onProperty ex:p ; owl:hasValue ex:A ]": "p value A",
    "[ owl:onDatatype xsd:integer ; owl:withRestrictions ( [ xsd:minInclusive 0 ] [ xsd:maxExclusive 9 ] ) ]": (
        "integer [≥ 0, < 9]"
    ),
    "( ex:A ( ex:B ) ex:A )": "(A, (B), A)",
    "[ ex:p [ ex:q ex:A ] ]": "[p [q A]]",
    "[ ]": "[]",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_class_expression_is_written_in_the_manchester_way(expression: str) -> None:
    text = PREFIXES + f"ex:This ex:is {expression} ."
    phrases = Phrases(quad.triple for quad in parse(text, RdfFormat.TURTLE))
    (value,) = phrases.of(NamedNode("http://example.org/This"))[NamedNode("http://example.org/is")]
    words = [re.sub(r".*[/#]", "", piece[1]) for piece in phrases.term(value)]
    assert EXPRESSIONS[expression] == re.sub(r"(?<=[(\[{]) | (?=[)\]},;])", "", " ".join(words))


@pytest.mark.parametrize(
    ("path", "expected"),
    {
        "ex:p": "p",
        "[ sh:inversePath ex:p ]": "^ p",
        "( ex:p [ sh:zeroOrMorePath ex:q ] )": "p / q *",
        "[ sh:alternativePath ( ex:p [ sh:inversePath ( ex:p ex:q ) ] ) ]": "p | ^ (p / q)",
    }.items(),
)
def test_a_path_is_written_as_in_sparql(path: str, expected: str) -> None:
    phrases = Phrases(quad.triple for quad in parse(PREFIXES + f"ex:This sh:path {path} .", RdfFormat.TURTLE))
    words = [
        re.sub(r".*/(?=.)", "", piece[1])
        for piece in phrases.path(phrases.of(NamedNode("http://example.org/This"))[SH.path][0])
    ]
    assert expected == re.sub(r"(?<=[(]) | (?=[)])", "", " ".join(words))


def test_what_is_nested_in_itself_or_too_deep_ends() -> None:
    text = PREFIXES + "_:a owl:complementOf _:a . _:l rdf:first ex:A ; rdf:rest _:l . ex:This ex:is _:a, _:l ."
    phrases = Phrases(quad.triple for quad in parse(text, RdfFormat.TURTLE))
    for value in phrases.of(NamedNode("http://example.org/This"))[NamedNode("http://example.org/is")]:
        assert len(phrases.term(value)) < 200


# Any ontology


HOSTILE = '<script>alert(1)</script>" onmouseover="x'
BARE = {
    "ontology/ontology.ttl": PREFIXES
    + f"""
ex:ontology a owl:Ontology .
<http://example.org/ontology#Bare> a owl:Class .
<http://example.org/ontology#One> a owl:Class ; rdfs:subClassOf <http://example.org/ontology#Two> .
<http://example.org/ontology#Two> a owl:Class ; rdfs:subClassOf <http://example.org/ontology#One> .
<http://example.org/ontology#Hostile> a rdfs:Class ; rdfs:label {json.dumps(HOSTILE)}@en, ""@de ;
    rdfs:comment {json.dumps(HOSTILE)} ; rdfs:seeAlso <javascript:alert(2)> ;
    rdfs:subClassOf [ owl:onProperty <http://example.org/ontology#p> ; owl:someValuesFrom [ owl:unionOf (
        [ owl:complementOf <http://example.org/ontology#Bare> ] <http://example.org/ontology#One> ) ] ] .
<http://example.org/ontology#p> a owl:TransitiveProperty .
<http://example.org/ontology#f> a owl:FunctionalProperty ; rdfs:range [ owl:oneOf ( "a" "b"@en 3 ) ] .
<http://example.org/ontology#thing> a <http://example.org/ontology#Bare> .
[] a owl:AllDisjointClasses ; owl:members ( <http://example.org/ontology#Bare> <http://example.org/ontology#One> ) .
""",
    "shapes/shapes.ttl": PREFIXES
    + """
ex:shapes a owl:Ontology .
<http://example.org/shapes#S> a sh:NodeShape ; sh:targetClass <http://example.org/ontology#Bare> ;
    sh:property [
        sh:path <http://example.org/ontology#p> ; sh:class <http://example.org/ontology#One> ; sh:maxCount 2
    ],
    [ sh:path <http://example.org/ontology#f> ; sh:in ( "a" 3 ) ] .
""",
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("bare")
    write_publication(root / "publication", BARE)
    return built(root / "publication", root / "releases")


def test_an_ontology_without_labels_has_a_page(bare: Built) -> None:
    with client_of(bare) as client:
        page = client.get("/ontology", headers={"Accept": "text/html"}).text
    assert {"Bare", "One", "Two", "Hostile", "p", "f", "thing"} <= set(re.findall(r' id="([^"]+)"', page))
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert "<script>alert" not in page
    assert 'onmouseover="' not in page
    assert 'href="javascript' not in page
    opened = open_site(bare.release, Options(bare.folder, "http://127.0.0.1/"))
    terms = terms_of(page_of(opened, "http://example.org/ontology"))
    opened.close()
    hostile = facts_of(terms["http://example.org/ontology#Hostile"])
    ontology = "http://example.org/ontology#"
    assert [f"{ontology}p some ((not {ontology}Bare) or {ontology}One)"] == hostile["kind-of"]
    assert ["{a, b, 3}"] == facts_of(terms[ontology + "f"])["range"]
    assert "object-property" == terms[ontology + "p"].kind
    (table,) = terms[ontology + "Bare"].tables
    assert [("0..2", f"{ontology}One"), ("0..*", "{a, 3}")] == sorted(
        ((row.cardinality, said(row.types[0])) for row in table.rows), reverse=True
    )
    assert [ontology + "One"] == [piece.iri for piece in terms[ontology + "Bare"].related["disjoint"]]


# Diagrams


def test_a_tree_has_every_box_in_its_column_and_none_over_another() -> None:
    leaf = Name("a leaf")
    drawing = tree(
        [Branch(Name("root"), (Branch(leaf), Branch(Name("inner"), (Branch(leaf), Branch(leaf))))), Branch(leaf)]
    )
    assert 6 == len(drawing.boxes)
    assert 4 == len(drawing.lines)
    places = [(box.x, box.y, box.width, box.height) for box in drawing.boxes]
    for x, y, width, height in places:
        assert 0 <= x <= x + width <= drawing.width
        assert 0 <= y <= y + height <= drawing.height
    assert [] == [
        (one, other)
        for one in places
        for other in places
        if one < other and abs(one[1] - other[1]) < 26 and one[0] < other[0] + other[2] and other[0] < one[0] + one[2]
    ]
    assert drawing == tree(
        [Branch(Name("root"), (Branch(leaf), Branch(Name("inner"), (Branch(leaf), Branch(leaf))))), Branch(leaf)]
    )


def test_a_long_name_is_cut_and_told_whole() -> None:
    long = Name("a name that goes on and on and on and on", "/somewhere")
    drawing = neighbours(Name("centre"), [(Name("leads to"), long)])
    assert drawing.boxes[1].text.endswith("…")
    assert long == drawing.boxes[1].name


def test_the_diagram_of_classes_has_each_class_once_and_is_a_list_as_well(own_site: Served, own_opened: Site) -> None:
    page = page_of(own_opened, TT[:-1])
    assert page.diagram is not None
    classes = [term.label.iri for part in page.parts if part.kind == "class" for term in part.terms]
    drawn = Counter(box.name.iri for box in page.diagram.boxes)
    assert set(classes) <= drawn.keys()
    assert {1} == {drawn[iri] for iri in classes}
    html = Html(own_site.get("/ontology", CHROME).text)
    tree_ = [element for element in html.elements if any(o.attributes.get("class") == "tree" for o in element.inside)]
    listed = Counter(element.attributes["href"] for element in tree_ if element.tag == "a")
    for iri in classes:
        assert 1 == listed["#" + iri.partition("#")[2]], iri
    regions = [element for element in html.elements if "diagram" in element.attributes.get("class", "").split()]
    assert len(regions) >= 20
    for region in regions:
        assert ("0", "region") == (region.attributes["tabindex"], region.attributes["role"])
        assert region.attributes["aria-label"]
    drawings = [element for element in html.elements if element.tag == "svg"]
    titled = [
        element for element in html.elements if element.tag in ("title", "desc") and element.inside[-1].tag == "svg"
    ]
    assert 2 * len(drawings) == len(titled)


# Costs


def look_ups(client: FlaskClient, path: str, pages: list[TestResponse]) -> int:
    """How many public calls of the catalogue and the store a page makes, which is put to the others."""
    places = {
        value.__code__
        for kind in (Catalog, EmbeddedStore)
        for name, value in vars(kind).items()
        if not name.startswith("_") and hasattr(value, "__code__")
    }
    counted = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal counted
        inner = frame.f_back is not None and frame.f_back.f_code in places
        counted += event == "call" and frame.f_code in places and not inner and frame.f_lasti <= 0

    sys.setprofile(count)
    try:
        pages.append(client.get(path, headers={"Accept": "text/html"}))
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize(("release", "path"), [(name.replace("_site", ""), path) for name, path in DOCUMENTS])
def test_a_page_costs_few_look_ups_and_bytes(request: pytest.FixtureRequest, release: str, path: str) -> None:
    of: Built = request.getfixturevalue(release)
    for language in of.publication.languages:
        with client_of(of) as client:
            pages: list[TestResponse] = []
            number = look_ups(client, f"{path}?lang={language}", pages)
        assert 200 == pages[0].status_code
        assert 2 <= number <= _MOST_LOOK_UPS, (path, number)
        assert len(gzip.compress(pages[0].data)) < _MOST_BYTES


def test_the_same_input_gives_the_same_record(bare: Built, tmp_path: Path) -> None:
    again = built(bare.publication.root, tmp_path / "releases")
    assert bare.release.read("vocabulary.json") == again.release.read("vocabulary.json")


def test_every_declared_class_and_property_of_the_document_is_a_term(document: Document) -> None:
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, SH.NodeShape, SH.PropertyShape)
    declared = {
        triple.subject.value
        for triple in document.triples
        if triple.predicate == RDF.type and triple.object in kinds and isinstance(triple.subject, NamedNode)
    }
    assert {iri for iri in declared if iri.startswith(document.iri + "#")} <= document.terms
