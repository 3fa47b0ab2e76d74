"""SPARQLWrapper and rdflib's SPARQLStore as clients: faults and deadlines as exceptions, all result formats."""

import csv
import io
import json
from collections.abc import Callable
from urllib.error import HTTPError

import pytest
import rdflib
import serving
from pyoxigraph import QueryResultsFormat, QuerySolutions, parse_query_results
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from serving import Site
from SPARQLWrapper import CSV, GET, JSON, POST, POSTDIRECTLY, TSV, URLENCODED, XML, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

own_site, foreign_site = serving.own_site, serving.foreign_site

PERSON = "https://w3id.org/tracktwo/id/person/pavel-s-zolotarev"
SELECT = f"SELECT ?name WHERE {{ <{PERSON}> rdfs:label ?name }} ORDER BY ?name"
NAMES = ["Pavel S. Zolotarev", "Павел Золотарёв"]
NEVER = "FILTER (STRLEN(CONCAT(STR(?a), STR(?d), STR(?g))) < 0)"
ENDLESS = f"SELECT (COUNT(*) AS ?n) WHERE {{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i {NEVER} }}"
FORMS = [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)]


def wrapper(site: Site, text: str, form: tuple[str, str] = FORMS[0]) -> SPARQLWrapper:
    asked = SPARQLWrapper(f"{site.url}sparql")
    asked.setMethod(form[0])
    asked.setRequestMethod(form[1])
    asked.setQuery(text)
    return asked


def from_json(content: bytes) -> list[str]:
    return [row["name"]["value"] for row in json.loads(content)["results"]["bindings"]]


def from_xml(content: bytes) -> list[str]:
    found = parse_query_results(content, format=QueryResultsFormat.XML)
    assert isinstance(found, QuerySolutions)
    return [row["name"].value for row in found]


def from_csv(content: bytes) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(content.decode()))][1:]


def from_tsv(content: bytes) -> list[str]:
    return [line.rpartition("@")[0].strip('"') for line in content.decode().splitlines()[1:]]


@pytest.mark.parametrize("form", FORMS, ids=["GET", "POST form", "POST direct"])
@pytest.mark.parametrize(
    ("format_", "read"),
    [(JSON, from_json), (XML, from_xml), (CSV, from_csv), (TSV, from_tsv)],
    ids=["JSON", "XML", "CSV", "TSV"],
)
def test_sparqlwrapper_reads_rows(
    own_site: Site, form: tuple[str, str], format_: str, read: Callable[[bytes], list[str]]
) -> None:
    asked = wrapper(own_site, SELECT, form)
    asked.setReturnFormat(format_)
    with asked.query().response as response:
        assert NAMES == read(response.read())


@pytest.mark.parametrize("form", FORMS, ids=["GET", "POST form", "POST direct"])
def test_sparqlwrapper_tells_a_bad_query_as_such(own_site: Site, form: tuple[str, str]) -> None:
    with pytest.raises(QueryBadFormed, match="line 2, column"):
        wrapper(own_site, "SELECT *\nWHERE { ?s nonsense ?o }", form).query()


@pytest.mark.parametrize("form", FORMS, ids=["GET", "POST form", "POST direct"])
def test_sparqlwrapper_tells_a_deadline(foreign_site: Site, form: tuple[str, str]) -> None:
    with pytest.raises(HTTPError) as caught:
        wrapper(foreign_site, ENDLESS, form).query()
    with caught.value as error:
        assert 504 == error.code


def test_rdflibs_store_asks_in_each_form(own_site: Site) -> None:
    for method in ("GET", "POST", "POST_FORM"):
        for format_ in ("json", "xml", "csv", "tsv"):
            store = SPARQLStore(f"{own_site.url}sparql", method=method, returnFormat=format_)
            assert NAMES == [str(row[0]) for row in store.query(SELECT)], (method, format_)  # type: ignore[index]  # rows
        store = SPARQLStore(f"{own_site.url}sparql", method=method, returnFormat="json")
        assert store.query(f"ASK {{ <{PERSON}> ?p ?o }}").askAnswer


def test_rdflibs_store_gets_a_graph(own_site: Site) -> None:
    found = SPARQLStore(f"{own_site.url}sparql", returnFormat="xml").query(f"CONSTRUCT WHERE {{ <{PERSON}> ?p ?o }}")
    assert found.graph is not None
    assert len(found.graph) > 10
    assert (rdflib.URIRef(PERSON), rdflib.RDFS.label, rdflib.Literal(NAMES[0], lang="en")) in found.graph


@pytest.mark.parametrize(
    ("site", "text", "status"),
    [
        ("own_site", "SELECT * WHERE { ?s nonsense ?o }", 400),
        ("own_site", "ASK { SERVICE <http://127.0.0.1:9/> { } }", 403),
        ("foreign_site", ENDLESS, 504),
    ],
)
def test_rdflibs_store_raises_on_faults_and_deadlines(
    request: pytest.FixtureRequest, site: str, text: str, status: int
) -> None:
    """It says of each that the query is wrong; what the endpoint said is the exception behind that."""
    there: Site = request.getfixturevalue(site)
    with pytest.raises(ValueError, match="your SPARQL query") as caught:
        SPARQLStore(f"{there.url}sparql").query(text)
    behind = caught.value.__context__
    assert isinstance(behind, HTTPError)
    with behind as refused:
        assert status == refused.code
