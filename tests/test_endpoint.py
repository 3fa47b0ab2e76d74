"""The SPARQL endpoint by the protocol, as clients of three libraries see it; its limits, and what it refuses."""

import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
import rdflib
import serving
from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, parse, parse_query_results
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from serving import CHROME, FOREIGN, HTML, OWN, Site, kind, vary
from SPARQLWrapper import CSV, JSON, JSONLD, N3, POST, POSTDIRECTLY, RDFXML, TURTLE, XML, SPARQLWrapper

own_site, foreign_site = serving.own_site, serving.foreign_site

FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"
RESULTS = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "text/tab-separated-values": QueryResultsFormat.TSV,
    "text/csv": QueryResultsFormat.CSV,
}
JSON_RESULTS = "application/sparql-results+json"
PROBLEM = "application/problem+json"
SELECT = "SELECT ?class (COUNT(*) AS ?members) WHERE { ?x a ?class } GROUP BY ?class ORDER BY ?class"
CONSTRUCT = "CONSTRUCT WHERE { <https://w3id.org/tracktwo/id/person/pavel-s-zolotarev> ?p ?o }"
DESCRIBE = "DESCRIBE <https://w3id.org/tracktwo/id/person/pavel-s-zolotarev>"
NEVER = "FILTER(STRLEN(CONCAT(STR(?a), STR(?d), STR(?g))) < 0)"
SLOW = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . " + NEVER + " }"
GREEDY = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?i ?f ?c"
LONG = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }"
QUESTIONS = [
    *(("own_site", path) for path in sorted((OWN / "ontology" / "questions").glob("*.rq"))),
    *(("foreign_site", path) for path in sorted((FOREIGN / "vocabulary" / "questions").glob("*.rq"))),
]
QUESTION_NAMES = [f"{site.partition('_')[0]}-{path.stem}" for site, path in QUESTIONS]


@pytest.fixture(scope="module")
def tight_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The foreign publication with little memory and small results, but time enough to reach those limits."""
    folder = serving.copy_of(FOREIGN, tmp_path_factory.mktemp("tight"))
    serving.with_settings(folder, query_seconds=20, query_memory_mb=48, result_mb=1, query_bytes=2_000)
    with serving.serve(folder, tmp_path_factory.mktemp("tight-releases"), "--workers", "1") as site:
        yield site


@pytest.fixture(scope="module")
def patient_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The foreign publication with one place for long queries, large results, and little patience."""
    folder = serving.copy_of(FOREIGN, tmp_path_factory.mktemp("patient"))
    serving.with_settings(folder, query_seconds=2, query_queue_seconds=5, result_mb=1024)
    settings = folder / "publication.toml"
    text = settings.read_text(encoding="utf-8").replace("[limits]", "[limits]\nquery_unread_seconds = 3")
    settings.write_text(text, encoding="utf-8")
    with serving.serve(folder, tmp_path_factory.mktemp("patient-releases"), "--workers", "1") as site:
        yield site


def rows(response: httpx.Response) -> list[tuple[str, ...]]:
    """The rows of a response in any result format; what TSV and CSV can't tell apart is left as it is."""
    results = parse_query_results(response.content, format=RESULTS[kind(response)])
    assert isinstance(results, QuerySolutions)
    return [tuple(map(str, solution)) for solution in results]


def truth(response: httpx.Response) -> bool:
    results = parse_query_results(response.content, format=RESULTS[kind(response)])
    assert isinstance(results, QueryBoolean)
    return bool(results)


# Operations: row 14


def test_get_form_and_direct_give_the_same(own_site: Site) -> None:
    by_get = own_site.query(SELECT)
    by_form = own_site.post(urlencode({"query": SELECT}), FORM)
    direct = own_site.post(SELECT, DIRECT)
    assert [answer.status_code for answer in (by_get, by_form, direct)] == [200, 200, 200]
    assert len(rows(by_get)) > 30
    assert rows(by_get) == rows(by_form) == rows(direct)


def test_a_media_type_may_carry_a_charset(own_site: Site) -> None:
    assert own_site.post(SELECT, f"{DIRECT}; charset=UTF-8").status_code == 200
    assert own_site.post(urlencode({"query": SELECT}), f"{FORM};charset=utf-8").status_code == 200
    assert own_site.post(SELECT, f"{DIRECT}; charset=latin-1").status_code == 415


def test_a_query_beyond_ascii_arrives_whole(foreign_site: Site) -> None:
    text = 'ASK { ?x rdfs:label "Φωλιά"@el }'
    assert truth(foreign_site.query(text))
    assert truth(foreign_site.post(text, DIRECT))
    assert truth(foreign_site.post(urlencode({"query": text}), FORM))


def test_plus_is_a_blank_in_a_form(own_site: Site) -> None:
    assert rows(own_site.get("/sparql?query=SELECT+('a+b'+AS+%3Fx)+('a%2Bb'+AS+%3Fy)+%7B%7D")) == [('"a b"', '"a+b"')]


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/sparql?query=ASK%7B%7D&query=ASK%7B%7D", None, ""),
        ("/sparql?query=", None, ""),
        ("/sparql?query=%20%0A", None, ""),
        ("/sparql", "", FORM),
        ("/sparql", "format=json", FORM),
        ("/sparql", "query=ASK%7B%7D&query=ASK%7B%7D", FORM),
        ("/sparql?query=ASK%7B%7D", "query=ASK%7B%7D", FORM),
        ("/sparql?query=ASK%7B%7D", "ASK {}", DIRECT),
        ("/sparql", "", DIRECT),
        ("/sparql", "ASK {", DIRECT),
        ("/sparql?query=ASK%7B%7D&default-graph-uri=not%20an%20iri", None, ""),
    ],
)
def test_a_request_without_exactly_one_good_query_is_400(
    own_site: Site, path: str, body: str | None, content_type: str
) -> None:
    response = own_site.get(path) if body is None else own_site.post(body, content_type, path=path)
    assert (response.status_code, kind(response)) == (400, PROBLEM)


def test_bytes_that_are_no_utf_8_are_400(own_site: Site) -> None:
    assert own_site.get("/sparql?query=ASK%20%7B%20%3Fx%20%3Fy%20%22%FF%22%20%7D").status_code == 400
    assert own_site.post(b'ASK { ?x ?y "\xff" }', DIRECT).status_code == 400
    assert own_site.post(b"query=ASK+%7B+%3Fx+%3Fy+%22%FF%22+%7D", FORM).status_code == 400


def test_the_protocol_names_the_dataset(foreign_site: Site) -> None:
    base = foreign_site.base_iri
    summer, winter = f"{base}named/summer", f"{base}timetable/winter"
    text = "SELECT ?t WHERE { ?r <https://data.pharos.example/vocab#departs> ?t }"

    def count(query: str, *parameters: tuple[str, str]) -> int:
        response = foreign_site.get("/sparql?" + urlencode([("query", query), *parameters]))
        assert response.status_code == 200, response.text
        return len(rows(response))

    assert count(text) == 5  # the departure that both graphs have counts once
    assert count(text, ("default-graph-uri", summer)) == 4
    assert count(text, ("default-graph-uri", summer), ("default-graph-uri", winter)) == 5  # their merge, a set
    assert count(text, ("named-graph-uri", summer)) == 0
    in_graphs = text.replace("{", "{ GRAPH ?g {").replace("}", "} }")
    assert count(in_graphs, ("default-graph-uri", summer)) == 0
    assert count(in_graphs, ("named-graph-uri", summer)) == 4
    assert count(in_graphs, ("named-graph-uri", summer), ("named-graph-uri", winter)) == 6
    assert count(text.replace("WHERE", f"FROM <{winter}> WHERE")) == 2
    assert count(text.replace("WHERE", f"FROM <{winter}> WHERE"), ("default-graph-uri", summer)) == 4
    assert count(text, ("default-graph-uri", f"{base}named/nothing")) == 0


def test_a_posted_query_takes_its_dataset_from_the_url_or_the_form(foreign_site: Site) -> None:
    summer = f"{foreign_site.base_iri}named/summer"
    text = "SELECT * WHERE { ?s ?p ?o }"
    direct = foreign_site.post(text, DIRECT, path="/sparql?" + urlencode({"default-graph-uri": summer}))
    form = foreign_site.post(urlencode({"query": text, "default-graph-uri": summer}), FORM)
    assert 4 == len(rows(direct)) == len(rows(form))


# Result types: row 16


@pytest.mark.parametrize("media_type", RESULTS)
def test_select_and_ask_come_in_every_result_format(own_site: Site, media_type: str) -> None:
    selected, asked = own_site.query(SELECT, media_type), own_site.query("ASK { ?s ?p ?o }", media_type)
    assert (200, media_type) == (selected.status_code, kind(selected))
    assert (200, media_type) == (asked.status_code, kind(asked))
    if media_type not in ("text/csv", "text/tab-separated-values"):
        assert rows(own_site.query(SELECT)) == rows(selected)
        assert truth(asked)
    assert "accept" in vary(selected)


@pytest.mark.parametrize("suffix", serving.RDF_TYPES)
@pytest.mark.parametrize("text", [CONSTRUCT, DESCRIBE])
def test_construct_and_describe_come_in_every_rdf_format(own_site: Site, suffix: str, text: str) -> None:
    media_type = serving.RDF_TYPES[suffix]
    response = own_site.query(text, media_type)
    assert (200, media_type) == (response.status_code, kind(response))
    rdf = RdfFormat.from_media_type(media_type)
    assert rdf
    expected = {
        quad.triple for quad in parse(own_site.query(text, serving.N_TRIPLES).content, format=RdfFormat.N_TRIPLES)
    }
    assert len(expected) > 10
    assert expected == {quad.triple for quad in parse(response.content, format=rdf)}


@pytest.mark.parametrize(
    ("text", "accept", "wanted"),
    [
        (SELECT, None, JSON_RESULTS),
        (SELECT, "*/*", JSON_RESULTS),
        (SELECT, "application/json", JSON_RESULTS),
        (SELECT, "application/xml", "application/sparql-results+xml"),
        (SELECT, "text/csv;q=0.5, application/sparql-results+xml;q=0.4", "text/csv"),
        (SELECT, "text/turtle, application/sparql-results+json;q=0.1", JSON_RESULTS),
        (SELECT, "application/sparql-results+json;q=0, */*", "application/sparql-results+xml"),
        (SELECT, "text/turtle", None),
        (SELECT, "image/png", None),
        ("ASK {}", "text/turtle", None),
        (CONSTRUCT, None, "text/turtle"),
        (CONSTRUCT, "*/*", "text/turtle"),
        (CONSTRUCT, "text/csv, application/rdf+xml;q=0.2", "application/rdf+xml"),
        (CONSTRUCT, "application/json", "application/ld+json"),
        (CONSTRUCT, "text/csv", None),
        (CONSTRUCT, JSON_RESULTS, None),
    ],
)
def test_the_type_is_chosen_after_the_form_is_known(
    own_site: Site, text: str, accept: str | None, wanted: str | None
) -> None:
    response = own_site.query(text, accept)
    assert (406 if wanted is None else 200) == response.status_code
    if wanted:
        assert wanted == kind(response)
    else:
        assert response.headers["cache-control"] == "no-store"
        assert ("application/sparql-results+json" in response.text) == (text != CONSTRUCT)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("json", JSON_RESULTS),
        ("csv", "text/csv"),
        ("tsv", "text/tab-separated-values"),
        ("application/sparql-results json", JSON_RESULTS),  # a plus that was not encoded
    ],
)
def test_the_format_parameter_is_stronger_than_accept(own_site: Site, name: str, wanted: str) -> None:
    assert wanted == kind(own_site.query(SELECT, CHROME, format=name))


@pytest.mark.parametrize("accept", [None, "*/*", "text/csv"])
@pytest.mark.parametrize("name", ["html", "text/html"])
def test_a_page_may_be_asked_for_by_its_format(own_site: Site, name: str, accept: str | None) -> None:
    answer = own_site.query(SELECT, accept, format=name)
    assert (200, HTML) == (answer.status_code, kind(answer))
    assert "<table" in answer.text


def test_all_variables_come_in_the_order_in_which_the_query_names_them(own_site: Site) -> None:
    for text, names in (
        ("SELECT * { ?s ?p ?o } LIMIT 1", "s,p,o"),
        ("SELECT DISTINCT * WHERE { ?z ?b ?a OPTIONAL { ?a ?c ?d } } LIMIT 1 # *", "z,b,a,c,d"),
        ("SELECT * { { SELECT ?o ?a { ?a ?p ?o } LIMIT 1 } } VALUES ?x { 1 }", "a,o,x"),  # as the engine has it
        ("SELECT * { { SELECT ?o ?a { ?a ?p ?o } LIMIT 1 } }", "o,a"),
        ("SELECT * { ?b ?a ?c FILTER NOT EXISTS { ?b ?0 ?c } } LIMIT 1", "b,a,c"),
    ):
        assert names == own_site.query(text, "text/csv").text.splitlines()[0]


def test_a_letter_may_be_written_as_its_code_point(own_site: Site) -> None:
    named = own_site.query("SELECT * { ?\\u0061 rdfs:l\\u0061bel ?\\U0000006f } LIMIT 2", "text/csv")
    assert ("a,o", 3) == (named.text.splitlines()[0], len(named.text.splitlines()))
    assert 200 == own_site.query("SELECT (\\u004eOW() AS ?u) {}").status_code
    assert [('"a\\\\u0061\\""',)] == rows(own_site.query('SELECT ("\\u0061\\\\u0061\\u0022" AS ?x) {}'))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s ?p ?o FROM <named/summer> FROM <timetable/winter> { ?s ?p ?o }",
        "PREFIX n: <named/> SELECT ?s ?p ?o FROM n:summer FROM <timetable/winter> { ?s ?p ?o }",
        "BASE <BASENAMEDnamed/> PREFIX n: <> SELECT ?s ?p ?o FROM n:summer FROM <../timetable/winter> { ?s ?p ?o }",
        "SELECT ?s ?p ?o FROM <BASENAMEDnamed/summe\\u0072> FROM <BASENAMEDtimetable/winter> { ?s ?p ?o }",
    ],
)
def test_several_graphs_may_be_named_by_any_iri_that_the_grammar_has(foreign_site: Site, text: str) -> None:
    base = foreign_site.base_iri
    found = foreign_site.query(text.replace("BASENAMED", base))
    assert 200 == found.status_code, found.text
    graphs = (("default-graph-uri", f"{base}named/summer"), ("default-graph-uri", f"{base}timetable/winter"))
    whole = (("query", "SELECT ?s ?p ?o { ?s ?p ?o }"), *graphs)
    merged = foreign_site.get("/sparql?" + urlencode(whole))
    assert 5 == len(rows(merged))  # of six in both
    assert sorted(rows(merged)) == sorted(rows(found))


def test_a_long_answer_is_compressed_on_the_way(own_site: Site) -> None:
    text = "SELECT * WHERE { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 2000"
    packed = own_site.get("/sparql?" + urlencode({"query": text}), accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert len(rows(packed)) == 2000
    assert rows(own_site.query(text)) == rows(packed)


# Statuses: row 15


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT * WHERE {\n  ?s ?p\n}", 3),
        ("SELEC * WHERE {}", 1),
        ("SELECT *\nWHERE { ?s nope:x ?o }", 2),
        ("ASK {} ASK {}", 1),
    ],
)
def test_a_query_that_does_not_parse_is_400_with_line_and_column(own_site: Site, text: str, line: int) -> None:
    response = own_site.query(text)
    assert (response.status_code, kind(response)) == (400, PROBLEM)
    told = response.json()
    assert line == told["line"]
    assert told["column"] >= 1


def test_a_page_shows_the_fault_beside_the_query(own_site: Site) -> None:
    response = own_site.query("SELECT * WHERE {\n  ?s ?p\n}", CHROME)
    assert (response.status_code, kind(response)) == (400, HTML)
    assert re.search(r"line 3, column \d+", response.text)
    assert "?s ?p" in response.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "PROPFIND", "BREW", "TRACE"])
def test_another_method_is_405(own_site: Site, method: str) -> None:
    response = own_site.ask(method, "/sparql", None, b"ASK {}", content_type=DIRECT)
    assert response.status_code == 405
    assert {"GET", "HEAD", "POST", "QUERY", "OPTIONS"} == set(re.split(r",\s*", response.headers["allow"]))
    assert explained(own_site, response)


def explained(site: Site, response: httpx.Response) -> bool:
    """Does the problem's type lead to an anchor that the page has?"""
    page, _, anchor = response.json()["type"].partition("#")
    return f'id="{anchor}"' in site.get(site.below(page), CHROME).text


def test_options_tell_what_each_path_takes(own_site: Site) -> None:
    for path, methods in (
        ("/sparql", {"GET", "HEAD", "POST", "QUERY", "OPTIONS"}),
        ("/query/", {"GET", "HEAD", "OPTIONS"}),
        ("/labels", {"POST", "OPTIONS"}),
        ("/nothing/here", {"GET", "HEAD", "OPTIONS"}),
    ):
        answer = own_site.ask("OPTIONS", path)
        assert (204, methods) == (answer.status_code, set(answer.headers["allow"].split(", ")))
        assert answer.headers["allow"] == answer.headers["access-control-allow-methods"]
        assert "content-type" not in answer.headers
        assert ("accept-query" in answer.headers) == (path == "/sparql")


def test_what_is_accepted_is_told(own_site: Site) -> None:
    for answer in (own_site.post("ASK {}", "text/plain"), own_site.ask("OPTIONS", "/sparql")):
        for name in ("accept-query", "accept-post"):
            assert {DIRECT, FORM} == set(answer.headers[name].split(", "))
            assert name in answer.headers["access-control-expose-headers"].lower()


def test_a_body_that_is_compressed_is_415(own_site: Site) -> None:
    answer = own_site.ask(
        "POST", "/sparql", None, gzip.compress(b"ASK {}"), content_type=DIRECT, content_encoding="gzip"
    )
    assert 415 == answer.status_code
    assert truth(own_site.ask("POST", "/sparql", None, b"ASK {}", content_type=DIRECT, content_encoding="identity"))


def test_a_byte_order_mark_is_no_part_of_the_query(own_site: Site) -> None:
    assert truth(own_site.post("\ufeffASK {}", DIRECT))


def test_a_slash_too_many_loses_no_posted_query(own_site: Site) -> None:
    answer = own_site.post("ASK {}", DIRECT, path="/sparql/")
    assert (308, f"{own_site.url}sparql") == (answer.status_code, answer.headers["location"])
    assert 301 == own_site.get("/sparql/").status_code


def test_every_refusal_of_the_endpoint_is_explained(own_site: Site, tight_site: Site) -> None:
    for answer in (
        own_site.query("ASK {"),
        own_site.query("LOAD <urn:x>"),
        own_site.query("ASK {}", "application/ld+json"),
        own_site.post("ASK {}", "text/plain"),
        tight_site.post("ASK {} #" + "x" * 2_000, DIRECT),
        tight_site.query(GREEDY),
    ):
        assert answer.status_code >= 400
        assert kind(answer) == PROBLEM
        assert explained(own_site if answer.url.port == own_site.port else tight_site, answer)
    assert 'id="status-414"' in own_site.get("/limits", CHROME).text


def test_a_form_may_be_longer_than_its_query(tight_site: Site) -> None:
    """The limit is that of the text, not of its encoding, which may be three times as long."""
    text = "ASK {} #" + "{" * 1_992
    assert truth(tight_site.post(urlencode({"query": text}), FORM))
    assert 413 == tight_site.post(urlencode({"query": text + "{"}), FORM).status_code


@pytest.mark.parametrize("accept", [*RESULTS, serving.TURTLE, serving.RDF_XML, serving.N_TRIPLES])
def test_who_asks_for_data_gets_a_fault_as_data_or_text(own_site: Site, accept: str) -> None:
    answer = own_site.query("SELECT * {\n ?s ?p }", accept)
    assert 400 == answer.status_code
    if accept.startswith("application/"):
        assert (2, 8) == (answer.json()["line"], answer.json()["column"])
    else:
        assert "text/plain" == kind(answer)
        assert "line 2, column 8: “}” can't stand here" in answer.text


def test_allow_tells_all_that_is_answered(own_site: Site) -> None:
    allowed = set(re.split(r",\s*", own_site.ask("PUT", "/sparql").headers["allow"]))
    assert allowed == set(re.split(r",\s*", own_site.ask("OPTIONS", "/sparql").headers["allow"]))
    answered = {
        method
        for method in ("GET", "HEAD", "POST", "QUERY", "OPTIONS", "PUT", "PATCH", "DELETE")
        if own_site.ask(
            method,
            "/sparql?query=ASK%7B%7D" if method in ("GET", "HEAD") else "/sparql",
            None,
            b"ASK {}",
            content_type=DIRECT,
        ).status_code
        in (200, 204)
    }
    assert answered == allowed


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x", "nonsense", ""]
)
def test_another_kind_of_body_is_415(own_site: Site, content_type: str) -> None:
    assert own_site.post("ASK {}", content_type).status_code == 415


@pytest.mark.parametrize("content_type", [DIRECT, FORM])
@pytest.mark.parametrize("size", [3_000, 200_000, 5_000_000])
def test_a_body_over_the_limit_is_413(tight_site: Site, content_type: str, size: int) -> None:
    text = "ASK {} #" + "x" * size
    body = text if content_type == DIRECT else urlencode({"query": text})
    response = httpx.post(
        f"{tight_site.url}sparql", content=body, headers={"content-type": content_type}, trust_env=False
    )
    assert (response.status_code, kind(response)) == (413, PROBLEM)


@pytest.mark.parametrize("size", [3_000, 20_000, 200_000])
def test_a_connection_serves_on_after_413_or_says_that_it_closes(tight_site: Site, size: int) -> None:
    """RFC 9112 section 9.6: who closes says so in the last response, or the next request is lost."""
    with httpx.Client(trust_env=False) as client:
        for _ in range(20):
            refused = client.post(f"{tight_site.url}sparql", content="#" * size, headers={"content-type": DIRECT})
            assert refused.status_code == 413
            assert client.get(f"{tight_site.url}sparql?query=ASK%7B%7D").status_code == 200


def test_a_query_in_a_url_over_the_limit_is_refused(tight_site: Site) -> None:
    assert tight_site.query("ASK {} #" + "x" * 3_000).status_code in (413, 414)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * WHERE { SERVICE <http://127.0.0.1:PORT/> { ?s ?p ?o } }",
        "SELECT * WHERE { SERVICE SILENT <http://127.0.0.1:PORT/> { ?s ?p ?o } }",
        "SELECT * WHERE { { SELECT * { serVice ?x { ?s ?p ?o } } VALUES ?x { <http://127.0.0.1:PORT/> } } }",
        "SELECT * WHERE { \\u0053ERVICE <http://127.0.0.1:PORT/> { ?s ?p ?o } }",
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "PREFIX : <urn:> DELETE WHERE { ?s ?p ?o }",
        "LOAD <http://127.0.0.1:PORT/>",
        "LOAD SILENT <http://127.0.0.1:PORT/>",
        "BASE <http://127.0.0.1:PORT/> CLEAR ALL",
        "DROP ALL",
    ],
)
def test_reaching_out_and_writing_are_refused(own_site: Site, text: str) -> None:
    with listening() as (port, contacted):
        asked = text.replace("PORT", str(port))
        for response in (
            own_site.query(asked),
            own_site.post(asked, DIRECT),
            own_site.post(urlencode({"query": asked}), FORM),
        ):
            assert response.status_code in ((400, 403) if "\\u" in text else (403,)), response.text
        time.sleep(0.05)
        assert contacted == []


def test_an_update_operation_is_refused(own_site: Site) -> None:
    for response in (
        own_site.post("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "application/sparql-update"),
        own_site.post(urlencode({"update": "CLEAR ALL"}), FORM),
        own_site.get("/sparql?update=CLEAR%20ALL"),
    ):
        assert response.status_code == 403
    assert not truth(own_site.query("ASK { <urn:a> <urn:b> <urn:c> }"))


def test_words_in_strings_and_names_are_no_keywords(own_site: Site) -> None:
    for text in (
        'ASK { ?service rdfs:label "SERVICE <http://x/> { LOAD }" }',
        "PREFIX service: <urn:service#> ASK { ?insert service:load <urn:SERVICE> } # SERVICE",
        "ASK { ?s ?p '''a SERVICE''' }",
    ):
        assert own_site.query(text).status_code == 200, text


def test_no_iri_that_a_client_names_is_fetched(own_site: Site) -> None:
    with listening() as (port, contacted):
        there = f"http://127.0.0.1:{port}/data.ttl"
        own_site.query("SELECT * { ?s ?p ?o }", **{"default-graph-uri": there})
        own_site.query("SELECT * { GRAPH ?g { ?s ?p ?o } }", **{"named-graph-uri": there})
        own_site.query(f"SELECT * FROM <{there}> FROM NAMED <{there}> {{ ?s ?p ?o }}")
        own_site.query(f"DESCRIBE <{there}>")
        own_site.get("/describe?iri=" + quote(there, safe=""), CHROME)
        own_site.ask(
            "GET", "/", None, None, host=f"127.0.0.1:{port}", referer=there, x_forwarded_host=f"127.0.0.1:{port}"
        )
        time.sleep(0.1)
        assert contacted == []


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port that notes who comes."""
    contacted: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.02)
        stop = threading.Event()

        def note() -> None:
            while not stop.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                contacted.append(address)
                connection.close()

        thread = threading.Thread(target=note)
        thread.start()
        try:
            yield server.getsockname()[1], contacted
        finally:
            stop.set()
            thread.join()


# Limits: rows 15 and 17


@pytest.mark.parametrize(("accept", "wanted"), [(None, PROBLEM), (CHROME, HTML), ("text/csv", "text/plain")])
def test_a_query_past_its_deadline_is_504_and_the_next_one_works(
    foreign_site: Site, accept: str | None, wanted: str
) -> None:
    started = time.monotonic()
    response = foreign_site.query(SLOW, accept)
    took = time.monotonic() - started
    assert (504, wanted) == (response.status_code, kind(response))
    assert response.headers["cache-control"] == "no-store"
    assert 1.9 < took < 3.5
    assert truth(foreign_site.query("ASK { ?s ?p ?o }"))


def test_pages_stay_answered_and_callers_are_told_while_queries_run(foreign_site: Site) -> None:
    """Both processes' only workers are taken: queries beyond them get 503, pages are served as ever."""
    path = "/sparql?" + urlencode({"query": SLOW})
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(foreign_site.get, path) for _ in range(8)]
        time.sleep(0.3)
        slowest = 0.0
        pages = 0
        while not all(one.done() for one in asked):
            started = time.monotonic()
            assert foreign_site.get("/about/ship/nested", CHROME).status_code == 200
            slowest = max(slowest, time.monotonic() - started)
            pages += 1
        answers = [one.result() for one in asked]
    assert pages > 20
    assert slowest < 2  # no page waits for a query's deadline
    assert {503, 504} == {answer.status_code for answer in answers}
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
    assert truth(foreign_site.query("ASK { ?s ?p ?o }"))


def test_a_client_that_hangs_up_frees_its_worker(tight_site: Site) -> None:
    """The one worker runs a query of 20 seconds; its client leaves; the next one must not wait that long."""
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout), httpx.Client(trust_env=False, timeout=0.3) as hasty:
            hasty.get(f"{tight_site.url}sparql", params={"query": SLOW})
        time.sleep(0.4)
        assert truth(tight_site.query("ASK { ?s ?p ?o }"))


@contextmanager
def unread(site: Site, text: str) -> Iterator[socket.socket]:
    """A client that has asked, and reads nothing."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", site.port))
        target = "/sparql?" + urlencode({"query": text})
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n".encode())
        yield connection


def test_a_client_that_does_not_read_keeps_no_place_from_others(patient_site: Site) -> None:
    with unread(patient_site, LONG) as connection:
        time.sleep(0.5)
        answer = patient_site.query(SLOW)  # 503 if the only place were not to be had
        assert 504 == answer.status_code
        assert "2 s" in answer.json()["detail"]
        connection.settimeout(10)
        assert not everything(connection).endswith(b"0\r\n\r\n")  # broken, not ended tidily (RFC 9112 section 7.1)


def test_a_client_that_does_not_read_is_ended_even_if_nobody_waits(patient_site: Site) -> None:
    query_workers = workers(patient_site)
    with unread(patient_site, LONG) as connection:
        time.sleep(1)
        assert len(query_workers & workers(patient_site)) == len(query_workers)
        until = time.monotonic() + 10
        while query_workers <= workers(patient_site) and time.monotonic() < until:
            time.sleep(0.1)
        assert not query_workers <= workers(patient_site)  # that of the query has been killed
        connection.settimeout(10)
        assert not everything(connection).endswith(b"0\r\n\r\n")


def test_a_client_that_reads_slowly_gets_it_all(patient_site: Site) -> None:
    text = f"{LONG} LIMIT 15000"
    started = time.monotonic()
    content = b""
    with patient_site.client.stream("GET", f"{patient_site.url}sparql", params={"query": text}) as response:
        for chunk in response.iter_raw(1 << 17):
            content += chunk
            time.sleep(0.1)
    assert time.monotonic() - started > 2  # its deadline
    assert 15_000 == len(json.loads(content)["results"]["bindings"])


def everything(connection: socket.socket) -> bytes:
    content = b""
    with suppress(ConnectionError):
        while chunk := connection.recv(1 << 20):
            content = (content + chunk)[-10:]
    return content


def workers(site: Site) -> set[int]:
    return {pid for pid, line in serving.marked(site.mark).items() if "tracktwo.store.worker" in line}


def test_a_query_over_its_memory_is_stopped_alone(tight_site: Site) -> None:
    response = tight_site.query(GREEDY)
    assert (response.status_code, kind(response)) == (507, PROBLEM)
    assert "memory" in response.json()["detail"]
    assert truth(tight_site.query("ASK { ?s ?p ?o }"))


def test_a_query_nested_too_deeply_is_stopped_alone(tight_site: Site, own_site: Site) -> None:
    text = "SELECT (" + "(" * 100_000 + "1" + ")" * 100_000 + " AS ?x) {}"
    response = own_site.post(text, DIRECT)
    assert response.status_code in (400, 507)
    assert truth(own_site.query("ASK { ?s ?p ?o }"))


@pytest.mark.parametrize("accept", [*RESULTS, None])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_result_over_its_limit_breaks_the_transfer(tight_site: Site, accept: str | None, coding: str) -> None:
    headers = {"accept-encoding": coding, "accept": accept or "*/*"}
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        httpx.get(f"{tight_site.url}sparql", params={"query": LONG}, headers=headers, trust_env=False, timeout=30)
    assert truth(tight_site.query("ASK { ?s ?p ?o }"))


@pytest.mark.parametrize("suffix", serving.RDF_TYPES)
def test_a_graph_over_its_limit_breaks_the_transfer(tight_site: Site, suffix: str) -> None:
    text = "CONSTRUCT { ?a ?b ?f } WHERE { ?a ?b ?c . ?d ?e ?f }"
    headers = {"accept": serving.RDF_TYPES[suffix]}
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        httpx.get(f"{tight_site.url}sparql", params={"query": text}, headers=headers, trust_env=False, timeout=30)


def test_a_result_that_its_deadline_meets_breaks_too(foreign_site: Site) -> None:
    text = (
        SLOW.replace("(COUNT(*) AS ?n)", "*").replace("WHERE {", "WHERE { { ?a ?b ?c } UNION { ?x ?y ?z . { ") + " } }"
    )
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        httpx.get(f"{foreign_site.url}sparql", params={"query": text}, trust_env=False, timeout=30)


def test_the_page_says_that_rows_are_left_out(foreign_site: Site) -> None:
    cut = foreign_site.query("SELECT * WHERE { ?s ?p ?o }", CHROME)
    assert (cut.status_code, cut.headers["tracktwo-truncated"]) == (200, "rows=20")
    assert cut.headers["cache-control"] == "no-store"
    assert "Only the first 20 rows" in cut.text
    assert cut.text.count("<tr>") == 21  # with the row of names
    whole = foreign_site.query("SELECT * WHERE { ?s ?p ?o } LIMIT 20", CHROME)
    assert "tracktwo-truncated" not in whole.headers
    assert "Only the first" not in whole.text
    lines = foreign_site.query("CONSTRUCT WHERE { ?s ?p ?o }", CHROME)
    assert "tracktwo-truncated" in lines.headers
    assert "Only the first 20 lines" in lines.text


def test_data_formats_are_never_cut(foreign_site: Site) -> None:
    response = foreign_site.query("SELECT * WHERE { ?s ?p ?o }")
    assert "tracktwo-truncated" not in response.headers
    assert len(rows(response)) > 900


def test_the_limits_are_declared(foreign_site: Site) -> None:
    description = foreign_site.get("/sparql", serving.N_TRIPLES).text
    assert re.search(r"\b2 seconds\b", description)
    assert re.search(r"\b512 MB\b", description)
    assert re.search(r"\b4 MB\b", description)
    assert re.search(r"\b20\s?000 bytes\b", description)


# The service description: row 18


def test_the_service_description_is_small_and_true(own_site: Site) -> None:
    response = own_site.get("/sparql", serving.N_TRIPLES)
    sd = "http://www.w3.org/ns/sparql-service-description#"
    quads = [quad.triple for quad in parse(response.content, format=RdfFormat.N_TRIPLES)]
    said = {(triple.predicate.value, str(triple.object).strip("<>")) for triple in quads}
    endpoint = f"{own_site.url}sparql"
    assert (f"{sd}endpoint", endpoint) in said
    assert (f"{sd}supportedLanguage", f"{sd}SPARQL11Query") in said
    graphs = rows(own_site.query("SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"))
    assert len(graphs) >= 130
    assert len(own_site.get("/sparql", serving.TURTLE).content) < 5_000 + 250 * len(graphs)
    assert {(f"{sd}name", graph.strip("<>")) for (graph,) in graphs} == {
        item for item in said if item[0] == f"{sd}name"
    }
    features = {object_ for predicate, object_ in said if predicate == f"{sd}feature"}
    assert features <= {f"{sd}UnionDefaultGraph", f"{sd}EmptyGraphs"}
    formats = {object_.rpartition("/")[2] for predicate, object_ in said if predicate == f"{sd}resultFormat"}
    assert {
        "SPARQL_Results_JSON",
        "SPARQL_Results_XML",
        "SPARQL_Results_CSV",
        "SPARQL_Results_TSV",
        "Turtle",
        "RDF_XML",
        "JSON-LD",
        "N-Triples",
    } <= formats


def test_browsers_get_the_form(own_site: Site) -> None:
    response = own_site.get("/sparql", CHROME)
    assert (response.status_code, kind(response)) == (200, HTML)
    assert 'name="query"' in response.text
    assert "accept" in vary(response)


# Clients


@pytest.mark.parametrize(("site", "question"), QUESTIONS, ids=QUESTION_NAMES)
def test_a_competency_question_is_answered(request: pytest.FixtureRequest, site: str, question: Path) -> None:
    assert len(QUESTIONS) > 20
    there: Site = request.getfixturevalue(site)
    response = there.query(question.read_text(encoding="utf-8"), "text/tab-separated-values")
    assert response.status_code == 200
    results = parse_query_results(question.with_suffix(".tsv").read_bytes(), format=QueryResultsFormat.TSV)
    assert isinstance(results, QuerySolutions)
    assert [tuple(map(str, solution)) for solution in results] == rows(response)


def wrapper(site: Site, text: str, method: str = "GET") -> SPARQLWrapper:
    asked = SPARQLWrapper(f"{site.url}sparql")
    asked.setMethod(method)
    asked.setQuery(text)
    return asked


@pytest.mark.parametrize("how", ["GET", POST, POSTDIRECTLY])
def test_sparqlwrapper_understands_the_endpoint(own_site: Site, how: str) -> None:
    for format_ in (JSON, XML, CSV):
        asked = wrapper(own_site, SELECT, POST if how == POSTDIRECTLY else how)
        if how == POSTDIRECTLY:
            asked.setRequestMethod(POSTDIRECTLY)
        asked.setReturnFormat(format_)
        answer = asked.query()
        with answer.response:
            content = answer.response.read()
        assert kind(
            own_site.query(
                SELECT, {JSON: JSON_RESULTS, XML: "application/sparql-results+xml", CSV: "text/csv"}[format_]
            )
        ) in str(answer.info()["content-type"])
        if format_ == JSON:
            assert len(rows(own_site.query(SELECT))) == len(json.loads(content)["results"]["bindings"])


@pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning"
)  # of rdflib's own JSON-LD reader
@pytest.mark.parametrize(
    ("format_", "wanted"),
    [
        (TURTLE, serving.TURTLE),
        (N3, serving.TURTLE),
        (RDFXML, serving.RDF_XML),
        (XML, serving.RDF_XML),
        (JSONLD, serving.JSON_LD),
    ],
)
def test_sparqlwrapper_gets_graphs(own_site: Site, format_: str, wanted: str) -> None:
    """It sends its own name of the format in `format`, `output` and `results`, beside `Accept`."""
    asked = wrapper(own_site, CONSTRUCT)
    asked.setReturnFormat(format_)
    answer = asked.query()
    with answer.response:
        graph = rdflib.Graph().parse(data=answer.response.read(), format=wanted)
    assert len(graph) > 10
    assert wanted == str(answer.info()["content-type"]).partition(";")[0]


def test_rdflibs_store_understands_the_endpoint(own_site: Site) -> None:
    store = SPARQLStore(f"{own_site.url}sparql")
    graph = rdflib.Graph(store)
    person = rdflib.URIRef("https://w3id.org/tracktwo/id/person/pavel-s-zolotarev")
    labels = {str(label) for label in graph.objects(person, rdflib.RDFS.label)}
    assert {"Pavel S. Zolotarev", "Павел Золотарёв"} == labels
    size = rows(own_site.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"))[0][0]
    assert int(size.split('"')[1]) == len(graph)
    for method in ("GET", "POST", "POST_FORM"):
        other = SPARQLStore(f"{own_site.url}sparql", method=method, returnFormat="json")
        assert len(rows(own_site.query(SELECT))) == len(list(other.query(SELECT)))


def test_an_answer_read_as_it_comes_is_whole(own_site: Site) -> None:
    text = "SELECT * WHERE { ?s ?p ?o }"
    with own_site.client.stream("GET", f"{own_site.url}sparql", params={"query": text}) as response:
        content = b"".join(response.iter_raw(1000))
    results = parse_query_results(content, format=QueryResultsFormat.JSON)
    assert isinstance(results, QuerySolutions)
    dump = gzip.decompress(own_site.get("/dump/dataset.nt.gz").content)
    assert len(set(dump.splitlines())) == len(list(results))


# Validators and caching: rows 9 and 10

NODES = [
    "CONSTRUCT { ?s <x:p> _:b } WHERE { ?s a ?c }",
    "PREFIX x: <x:>\nconstruct { [] x:p ?s } WHERE { ?s a ?c }",
    "CONSTRUCT { ?s <x:p> ( 1 ) } WHERE { ?s a ?c }",
]
VOLATILE = [
    "SELECT (STRUUID() AS ?id) {}",
    "SELECT (NOW() AS ?now) (RAND() AS ?number) {}",
    *NODES,
]


@pytest.mark.parametrize("accept", [CHROME, "*/*"])
@pytest.mark.parametrize("text", VOLATILE)
def test_an_answer_that_differs_each_time_is_nobodys_to_keep(foreign_site: Site, text: str, accept: str) -> None:
    first, second = (foreign_site.query(text + " LIMIT 3", accept) for _ in range(2))
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    assert not {"etag", "last-modified"} & first.headers.keys()
    assert first.content != second.content


@pytest.mark.parametrize(
    "text", [CONSTRUCT, "CONSTRUCT { ?s a ?c } WHERE { ?s a ?c ; ?p [] } LIMIT 3", 'ASK { ?s ?p "_:b [" }']
)
def test_what_only_looks_so_may_be_kept(own_site: Site, text: str) -> None:
    assert "etag" in own_site.query(text).headers


@pytest.mark.parametrize("accept", [CHROME, "*/*", "text/csv"])
def test_an_answer_has_the_validators_of_a_document(own_site: Site, accept: str) -> None:
    path = "/sparql?" + urlencode({"query": SELECT})
    whole = own_site.get(path, accept)
    assert whole.headers["cache-control"] == "public, max-age=60"
    for condition in (
        {"if_none_match": whole.headers["etag"]},
        {"if_none_match": "W/" + whole.headers["etag"]},
        {"if_none_match": "*"},
        {"if_modified_since": whole.headers["last-modified"]},
    ):
        response = own_site.get(path, accept, **condition)
        assert (304, b"") == (response.status_code, response.content), condition
        assert whole.headers["etag"] == response.headers["etag"]
        assert {"accept"} <= vary(response)
    other = own_site.get(path, accept, if_none_match='"other"', if_modified_since=whole.headers["last-modified"])
    assert (200, whole.content) == (other.status_code, other.content)


def test_each_variant_of_an_answer_has_a_tag_of_its_own(own_site: Site) -> None:
    path = "/sparql?" + urlencode({"query": SELECT})
    answers = [own_site.get(path, accept) for accept in (*RESULTS, CHROME)]
    answers.append(own_site.get(path, CHROME, accept_language="ru"))
    assert 6 == len({answer.headers["etag"] for answer in answers}) == len({answer.content for answer in answers})


def test_a_page_of_an_answer_that_was_posted_is_nobodys_to_keep(own_site: Site) -> None:
    page = own_site.post(urlencode({"query": SELECT}), FORM, CHROME)
    assert (200, HTML) == (page.status_code, kind(page))
    assert page.headers["cache-control"] == "no-store"
    assert "etag" not in page.headers


def test_an_answer_that_is_not_acceptable_names_its_variants(own_site: Site) -> None:
    for text, offered in ((SELECT, [*RESULTS]), (CONSTRUCT, [*serving.RDF_TYPES.values()])):
        response = own_site.query(text, "image/png")
        assert response.status_code == 406
        found = serving.links(response)
        assert sorted(offered) == sorted(link.type for link in found)
        assert all(media_type in response.text for media_type in offered)
        for link in found:
            variant = own_site.get(own_site.below(link.href), "image/png")
            assert (200, link.type) == (variant.status_code, kind(variant))


# Pages of large answers

LARGE_64KB = f"REPLACE('{'a' * 256}', 'a', '{'b' * 256}')"
LARGE_8MB, LARGE_19MB = (f"REPLACE({LARGE_64KB}, 'b', '{'c' * times}')" for times in (128, 300))


@pytest.mark.parametrize(
    "text",
    [f"SELECT ({LARGE_8MB} AS ?long) {{}}", f"CONSTRUCT {{ <x:s> <x:p> ?long }} {{ BIND({LARGE_8MB} AS ?long) }}"],
    ids=["rows", "triples"],
)
def test_a_page_shows_no_more_of_an_answer_than_fits(own_site: Site, text: str) -> None:
    page = own_site.query(text, CHROME)
    assert (200, "rows=0") == (page.status_code, page.headers["tracktwo-truncated"])
    assert page.headers["cache-control"] == "no-store"
    assert "The answer is too large for a page." in page.text
    assert len(page.content) < 200_000


def test_a_page_shows_as_many_rows_as_fit(own_site: Site) -> None:
    page = own_site.query(f"SELECT ?s ({LARGE_64KB} AS ?long) {{ ?s ?p ?o }} LIMIT 100", CHROME)
    assert page.headers["tracktwo-truncated"] == "rows=15"
    assert "Only the first 15 rows are shown." in page.text
    lines = own_site.query(f"CONSTRUCT {{ ?s ?p ?long }} {{ ?s ?p ?o BIND({LARGE_64KB} AS ?long) }} LIMIT 100", CHROME)
    shown = int(lines.headers["tracktwo-truncated"].removeprefix("rows="))
    assert 10 < shown < 20
    assert f"Only the first {shown} lines are shown." in lines.text
    assert len(lines.content) < 2_000_000


def test_a_term_that_cannot_be_read_is_507(own_site: Site) -> None:
    text = f"SELECT ({LARGE_19MB} AS ?long) {{}}"
    page = own_site.query(text, CHROME)
    assert (507, HTML) == (page.status_code, kind(page))
    assert "too long to be read" in page.text
    whole = own_site.query(text, "text/csv")
    assert (200, 256 * 256 * 300) == (whole.status_code, whole.text.count("c"))
