"""Saved queries at `/query/SLUG`: pages with pickers, results in every format, addresses to cite, and their RDF."""

import csv
import html
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
import rdflib
import serving
from conftest import EX, ONTOLOGY, write_publication
from rdflib import RDF, RDFS, SH
from serving import CHROME, OWN, TURTLE, Site, kind

from tracktwo.question import Question, described

own_site = serving.own_site

PREFIXES = f"@prefix ex: <{EX}ontology#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> ."
SHIPS = f"""{PREFIXES}
@prefix id: <{EX}id/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
id:north a ex:Harbour ; rdfs:label "North"@en . id:south a ex:Harbour ; rdfs:label "South"@en .
id:red a ex:Colour ; rdfs:label "red paint"@en . id:blue a ex:Colour ; rdfs:label "blue paint"@en .
id:ann a ex:Ship ; rdfs:label "Ann"@en ; ex:liesIn id:north ; ex:builtIn 1999 ; ex:launched "1999-05-06"^^xsd:date ;
  ex:hasSize "small" ; ex:wears id:red .
id:bob a ex:Ship ; rdfs:label "Bob"@en ; ex:liesIn id:south ; ex:builtIn 2001 ; ex:launched "2001-02-03"^^xsd:date ;
  ex:hasSize "large" ; ex:wears id:blue .
"""
SHAPES = f"""{PREFIXES}
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix s: <{EX}shapes#> . @prefix id: <{EX}id/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
<{EX}shapes> a owl:Ontology .
s:Ship a sh:NodeShape ; sh:targetClass ex:Ship ;
  sh:property [ sh:path ex:liesIn ; sh:or ( [ sh:class ex:Harbour ] [ sh:class ex:Anchorage ] ) ] ,
    [ sh:path ex:builtIn ; sh:datatype xsd:integer ] , [ sh:path ex:launched ; sh:datatype xsd:date ] ,
    [ sh:path ex:hasSize ; sh:in ( "small" "large" ) ] , [ sh:path ex:wears ; sh:in ( id:red id:blue ) ] .
"""
DEFAULTS = {
    "liesIn": "<https://x.example/id/north>",
    "wears": "<https://x.example/id/red>",
    "builtIn": "1999",
    "launched": '"1999-05-06"^^xsd:date',
    "hasSize": '"small"',
}


def question(property_: str, default: str) -> str:
    return (
        f"# title: By {property_}\n# title@ru: По {property_}\n# question: Which ships have it?\n"
        f"# question@ru: У каких судов?\nPREFIX ex: <{EX}ontology#>\nPREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
        f"SELECT ?ship WHERE {{\n  VALUES ?value {{ {default} }}\n  ?ship ex:{property_} ?value\n}}\nORDER BY ?ship\n"
    )


@pytest.fixture(scope="module")
def ships(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("ships")
    files = {"data/ships.ttl": SHIPS, "shapes/shapes.ttl": SHAPES}
    files["ontology/ontology.ttl"] = ONTOLOGY
    for number, (property_, default) in enumerate(DEFAULTS.items(), 1):
        text = question(property_, default.replace("https://x.example/", EX))
        files[f"ontology/questions/{number:02}-by-{property_.lower()}.rq"] = text
    files["ontology/questions/90-volatile.rq"] = "# title: Now\nSELECT (STRUUID() AS ?id) WHERE {}\n"
    files["ontology/questions/91-all.rq"] = "# title: All\nSELECT ?s ?p ?o WHERE { ?s ?p ?o }\n"
    publication = write_publication(folder / "publication", files, settings="[limits]\npage_rows = 20\n")
    with serving.serve(publication.root, folder / "releases") as site:
        yield site


class Form(HTMLParser):
    """The fields of a page's first form: by name the tag, its attributes, and what a list offers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, tuple[str, dict[str, str | None]]] = {}
        self.options: dict[str, bool] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in ("select", "input"):
            self.fields[str(attributes["name"])] = (tag, attributes)
        if tag == "option":
            self.options[str(attributes["value"])] = "selected" in attributes


@pytest.mark.parametrize(
    ("property_", "choices"),
    [
        ("liesIn", {f"{EX}id/north": True, f"{EX}id/south": False}),
        ("wears", {f"{EX}id/blue": False, f"{EX}id/red": True}),
        ("hasSize", {"large": False, "small": True}),
    ],
)
def test_a_picker_lists_what_the_shapes_allow(ships: Site, property_: str, choices: dict[str, bool]) -> None:
    page = ships.get(f"/query/by-{property_.lower()}", CHROME)
    assert 200 == page.status_code
    form = Form(page.text)
    assert ("select", choices) == (form.fields["value"][0], form.options)
    if property_ == "wears":
        assert ">red paint</option>" in page.text
    other = next(value for value, chosen in choices.items() if not chosen)
    asked = ships.get(f"/query/by-{property_.lower()}?" + urlencode({"value": other}), CHROME)
    assert Form(asked.text).options[other]
    assert ">Bob<" in asked.text
    assert ">Ann<" not in asked.text


@pytest.mark.parametrize(
    ("property_", "field", "other"), [("builtIn", "number", "2001"), ("launched", "date", "2001-02-03")]
)
def test_a_picker_is_a_field_of_the_datatype(ships: Site, property_: str, field: str, other: str) -> None:
    slug = property_.lower()
    tag, attributes = Form(ships.get(f"/query/by-{slug}", CHROME).text).fields["value"]
    assert ("input", field) == (tag, attributes["type"])
    assert DEFAULTS[property_].strip('"').startswith(str(attributes["value"]))
    assert [f"{EX}id/ann"] == ships.get(f"/query/by-{slug}.csv").text.split()[1:]
    assert [f"{EX}id/bob"] == ships.get(f"/query/by-{slug}.csv?value={other}").text.split()[1:]


@pytest.mark.parametrize(
    ("property_", "value"),
    [("liesIn", "north"), ("builtIn", "1999 }"), ("launched", "yesterday"), ("wears", '> } . { ?s ?p "')],
)
def test_a_value_of_another_kind_is_400(ships: Site, property_: str, value: str) -> None:
    for suffix in ("", ".json", ".rq"):
        path = f"/query/by-{property_.lower()}{suffix}?" + urlencode({"value": value})
        assert 400 == ships.get(path, CHROME).status_code, path


def test_no_value_leaves_its_place_in_the_text(ships: Site) -> None:
    hostile = 'small" } ?x ?y ?z . VALUES ?v { "\\'
    response = ships.get("/query/by-hassize.csv?" + urlencode({"value": hostile}))
    assert (200, ["ship"]) == (response.status_code, response.text.split())


SLUGS = [re.sub(r"^\d+-", "", path.stem) for path in sorted((OWN / "ontology" / "questions").glob("*.rq"))]


def shown(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def test_each_question_has_a_page_with_all_that_is_to_know(own_site: Site) -> None:
    assert len(SLUGS) >= 24
    for slug in SLUGS:
        text = own_site.get(f"/query/{slug}.rq").text
        head = dict(re.findall(r"(?m)^# ([\w@]+): (.*)$", text))
        page = own_site.get(f"/query/{slug}", CHROME)
        assert (200, "text/html") == (page.status_code, kind(page)), slug
        plain = shown(page.text)
        for wanted in (head["title"], head["question"], f"{own_site.base_iri}query/{slug}"):
            assert wanted in plain, (slug, wanted)
        assert "# title" not in plain
        assert head["question@ru"] in shown(own_site.get(f"/query/{slug}?lang=ru", CHROME).text), slug
        assert own_site.get("/health").text.strip() in plain
        assert "SELECT" in plain
        rows = list(csv.reader(io.StringIO(own_site.get(f"/query/{slug}.csv").text)))
        assert page.text.partition("<h2>Answer")[2].count("<tr>") == len(rows), slug


def test_results_come_in_each_format_by_suffix_and_by_negotiation(own_site: Site) -> None:
    types = {
        "json": "application/sparql-results+json",
        "srj": "application/sparql-results+json",
        "xml": "application/sparql-results+xml",
        "srx": "application/sparql-results+xml",
        "csv": "text/csv",
        "tsv": "text/tab-separated-values",
    }
    text = own_site.get(f"/query/{SLUGS[0]}.rq").text
    for suffix, media_type in types.items():
        here = own_site.get(f"/query/{SLUGS[0]}.{suffix}")
        assert (200, media_type) == (here.status_code, kind(here)), suffix
        assert own_site.query(text, media_type).content == here.content
        assert here.content == own_site.get(f"/query/{SLUGS[0]}", media_type).content
    assert 404 == own_site.get("/query/nothing-like-it").status_code


def test_the_address_that_is_cited_answers(own_site: Site) -> None:
    """The IRI in the citation is the one in the RDF, and its path is the page's own."""
    page = own_site.get(f"/query/{SLUGS[0]}", CHROME).text
    found = re.search(r'<p class="cite">.*?<a href="[^"]*">(https://[^<]+)</a></p>', page)
    assert found
    graph = rdflib.Graph().parse(data=own_site.get(f"/query/{SLUGS[0]}", TURTLE).text, format="turtle")
    assert (rdflib.URIRef(found[1]), RDF.type, SH.SPARQLExecutable) in graph
    assert 200 == own_site.get(own_site.path(found[1])).status_code


def test_a_citation_names_the_values_that_were_chosen(ships: Site) -> None:
    page = ships.get("/query/by-builtin?value=2001", CHROME).text
    assert f'<a href="/query/by-builtin?value=2001">{EX}query/by-builtin?value=2001</a></p>' in page
    assert ">Bob<" in page


def test_the_page_leads_to_its_results_in_other_formats(ships: Site) -> None:
    page = ships.get("/query/by-builtin?value=2001", CHROME).text
    found = dict(re.findall(r'<a href="([^"]*)">(JSON|CSV|TSV|XML)</a>', page.partition("These results as")[2]))
    assert ["JSON", "CSV", "TSV", "XML"] == list(found.values())
    for url in found:
        response = ships.get(ships.below(url))
        assert 200 == response.status_code
        assert f"{EX}id/bob" in response.text
        assert f"{EX}id/ann" not in response.text


# The language of the texts

PARTICIPANTS = "/query/third-meeting-participants"


def links_of(page: str) -> dict[str, str]:
    """A page's links to its results, by the name of the format."""
    found = re.findall(r'<a href="([^"]*)">(JSON|CSV|TSV|XML)</a>', page)
    return {name: html.unescape(url) for url, name in found}


def heads_of(page: str) -> list[str]:
    found = re.findall(r'<th scope="col">(.*?)</th>', page.partition("<h2>")[2])
    return [re.sub(r"<[^>]*>", "", head) for head in found]


def test_a_page_answers_in_its_own_language(own_site: Site) -> None:
    english, russian = (own_site.get(f"{PARTICIPANTS}?lang={tag}", CHROME).text for tag in ("en", "ru"))
    assert ["role", "side", "person", "name", "styled as", "retired", "rank", "service"] == heads_of(english)
    assert ["роль", "сторона", "человек", "имя", "как назван", "в отставке", "звание", "вооружённые силы"] == heads_of(
        russian
    )
    assert ">Lieutenant general<" in english
    assert ">Генерал-лейтенант<" in russian
    assert ">Lieutenant general<" not in russian
    assert '<label for="p-meeting"><span>встреча</span></label>' in russian
    assert 'VALUES ?language { "ru" }'.replace('"', "&#34;") in russian
    for page, tag in ((english, "en"), (russian, "ru")):
        editor = re.search(r'href="(/sparql\?[^"]*)"', page.partition("</pre>")[2])
        assert editor
        assert f"VALUES+%3Flanguage+%7B+%22{tag}%22" in editor[1]


def test_a_page_leads_to_results_in_the_language_of_its_texts(own_site: Site) -> None:
    russian = links_of(own_site.get(f"{PARTICIPANTS}?lang=ru", CHROME).text)
    assert ["JSON", "CSV", "TSV", "XML"] == list(russian)
    for url in russian.values():
        assert "Генерал-лейтенант" in own_site.get(own_site.below(url)).text, url
    english = links_of(own_site.get(f"{PARTICIPANTS}?language=en&lang=ru", CHROME).text)
    assert "Lieutenant general" in own_site.get(own_site.below(english["CSV"])).text
    plain = own_site.get(f"{PARTICIPANTS}.csv", accept_language="ru").text
    assert ["role", "side", "person", "name", "style", "retired", "rank", "service"] == plain.splitlines()[0].split(",")
    assert "Lieutenant general" in plain


def test_the_picker_of_the_language_offers_those_of_the_publication(own_site: Site) -> None:
    def options(query: str) -> dict[str, bool]:
        page = own_site.get(f"{PARTICIPANTS}?{query}", CHROME).text
        return Form('<select name="x">' + page.partition('name="language">')[2].partition("</select>")[0]).options

    assert {"en": False, "": True} == options("lang=ru")
    assert {"en": True, "": False} == options("lang=ru&language=en")
    assert {"": True, "ru": False} == options("lang=en&language=en")


def test_another_language_of_the_page_is_another_one_of_its_texts(own_site: Site) -> None:
    """The switch keeps what was chosen, and drops what the page had filled in."""
    path = f"{PARTICIPANTS}?meeting={own_site.base_iri}id/meeting/us-russia-mil-to-mil-meeting-1"
    page = own_site.get(f"{path}&lang=ru", CHROME).text
    found = re.search(r'<link rel="alternate" href="([^"]*)" hreflang="en">', page)
    assert found
    switched = html.unescape(found[1])
    assert "meeting-1" in switched
    assert "language=" not in switched
    assert "Lieutenant general" in own_site.get(own_site.below(switched), CHROME).text


def test_a_language_that_the_publication_lacks_is_400(own_site: Site) -> None:
    for suffix in ("", ".csv", ".rq"):
        response = own_site.get(f"{PARTICIPANTS}{suffix}?language=de", CHROME)
        assert 400 == response.status_code
        assert "must be one of en, ru" in response.text


def test_an_example_of_the_editor_asks_in_the_readers_language(own_site: Site) -> None:
    found = re.findall(r'<a data-example href="([^"]*)"', own_site.get("/sparql?lang=ru", CHROME).text)
    assert len(found) >= 54
    assert len([url for url in found if "VALUES+%3Flanguage+%7B+%22ru%22" in url]) >= 49
    assert [] == [url for url in found if "VALUES+%3Flanguage+%7B+%22en%22" in url]


def test_dates_and_truths_are_told_as_entity_pages_tell_them(own_site: Site) -> None:
    for tag, day, truth in (("en", "31 January 2021", ">yes<"), ("ru", "31 января 2021", ">да<")):
        page = own_site.get(f"/query/who-took-over?lang={tag}", CHROME).text
        assert f'<time datetime="2021-01-31">{day}</time>' in page
        ranks = own_site.get(f"/query/order-of-ranks?lang={tag}", CHROME).text
        assert truth in ranks
        assert ">true<" not in ranks


def test_heads_are_the_variables_names_in_words_where_a_question_has_none(ships: Site) -> None:
    page = ships.get("/query/by-builtin", CHROME).text
    assert ["ship"] == heads_of(page)
    assert '<label for="p-value"><span>value</span></label>' in page


def known(line: str, declared: dict[str, str]) -> bool:
    """Is this line of a query a prefix that is declared outside it, with the same namespace?"""
    found = re.fullmatch(r"PREFIX ([\w-]+): <(.*)>", line)
    return found is not None and declared.get(found[1]) == found[2]


def test_all_questions_are_published_by_the_sib_convention(own_site: Site) -> None:
    """`sh:SPARQLExecutable` with its kind, a comment, the text, its prefixes by `sh:declare`, and the endpoint."""
    graph = rdflib.Graph().parse(data=own_site.get("/query/", TURTLE).text, format="turtle")
    asked = set(graph.subjects(RDF.type, SH.SPARQLExecutable))
    assert {f"{own_site.base_iri}query/{slug}" for slug in SLUGS} == {str(one) for one in asked}
    for one in asked:
        assert (one, RDF.type, SH.SPARQLSelectExecutable) in graph
        assert {"en", "ru"} == {text.language for text in graph.objects(one, RDFS.comment)}  # type: ignore[attr-defined]  # literals
        assert 1 == len(set(graph.objects(one, RDFS.label)))
        assert f"{own_site.url}sparql" == str(graph.value(one, rdflib.URIRef("https://schema.org/target")))
        text = str(graph.value(one, SH.select))
        assert own_site.get(f"/query/{str(one).rpartition('/')[2]}.rq").text == text
        declared = {
            str(graph.value(node, SH.prefix)): str(graph.value(node, SH.namespace))
            for node in graph.objects(graph.value(one, SH.prefixes), SH.declare)
        }
        assert f"{own_site.base_iri}ontology#" == declared["tt"]
        rest = [line for line in text.splitlines() if not known(line, declared)]
        response = own_site.query("\n".join([*(f"PREFIX {p}: <{n}>" for p, n in declared.items()), *rest]))
        assert 200 == response.status_code


def test_the_head_gives_kind_for_other_forms() -> None:
    """An ASK and a CONSTRUCT are described as what they are."""
    for text, name in (
        ("ASK {}", "SPARQLAskExecutable"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "SPARQLConstructExecutable"),
    ):
        triples = described([Question("x", {}, "# ASK or SELECT\nPREFIX a: <http://ask/>\n" + text)], EX, EX, {})
        assert f"{SH}{name}" in {str(triple.object.value) for triple in triples if hasattr(triple.object, "value")}


# Caching


@pytest.mark.parametrize("path", ["/query/volatile", "/query/volatile.csv", "/query/volatile.html"])
def test_what_differs_each_time_is_nobodys_to_keep(ships: Site, path: str) -> None:
    first, second = (ships.get(path, CHROME) for _ in range(2))
    assert (200, "no-store") == (first.status_code, first.headers["cache-control"])
    assert not {"etag", "last-modified"} & first.headers.keys()
    assert first.content != second.content


def test_a_page_that_is_cut_says_so_and_is_nobodys_to_keep(ships: Site) -> None:
    page = ships.get("/query/all", CHROME)
    assert (page.headers["tracktwo-truncated"], page.headers["cache-control"]) == ("rows=20", "no-store")
    assert "etag" not in page.headers
    whole = ships.get("/query/all.csv")
    assert "tracktwo-truncated" not in whole.headers
    assert len(whole.text.splitlines()) > 21


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/query/by-liesin.rq", "application/sparql-query"),
        ("/query/by-liesin.csv", "text/csv"),
        ("/query/by-liesin", "text/html"),
    ],
)
def test_a_saved_query_has_validators(ships: Site, path: str, media_type: str) -> None:
    whole = ships.get(path, CHROME)
    assert (200, media_type) == (whole.status_code, kind(whole))
    assert whole.headers["cache-control"].startswith("public, max-age=")
    for condition in ({"if_none_match": whole.headers["etag"]}, {"if_modified_since": whole.headers["last-modified"]}):
        assert 304 == ships.get(path, CHROME, **condition).status_code
