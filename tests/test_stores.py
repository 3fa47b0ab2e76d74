"""One suite for both kinds of stores: the embedded one, and the remote one against a real Oxigraph server."""

import csv
import io
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from conftest import Built, free_port
from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
)
from pyoxigraph import Store as Oxigraph

from tracktwo.errors import NotAcceptable, QueryError, QueryTimeout, QueryTooBig, ReleaseError, StoreUnavailable
from tracktwo.formats import CSV, JSON, N_TRIPLES, RDF_FORMATS, RESULT_FORMATS, TSV, TURTLE, XML, Format
from tracktwo.namespaces import RDF, RDFS
from tracktwo.release.dump import for_remote_store
from tracktwo.store import BINDINGS, BOOLEAN, GRAPH, MATCHED, Query, Store
from tracktwo.store.embedded import EmbeddedStore
from tracktwo.store.process import Dialect, PoolLimits
from tracktwo.store.remote import RemoteStore
from tracktwo.terms import Node, name_of, to_bytes
from tracktwo.web.site import open_store

PHAROS = "https://data.pharos.example/"
PH = PHAROS + "vocab#"
RING = PHAROS + "thing/route/ring"
SUMMER, WINTER = PHAROS + "named/summer", PHAROS + "timetable/winter"
LIMITS = PoolLimits(workers=1, seconds=2, queue_seconds=1, memory_mb=512, result_mb=4, result_rows=100_000)


def quads_of(of: Built) -> list[Quad]:
    """The named graphs of a release."""
    return [quad for quad in Oxigraph.read_only(str(of.release.store)) if quad.graph_name != DefaultGraph()]


@contextmanager
def oxigraph_server(folder: Path, quads: list[Quad]) -> Iterator[str]:
    """A real Oxigraph server that holds some quads; gives the URL of its SPARQL endpoint."""
    url = f"http://127.0.0.1:{free_port()}"
    binary = Path(sys.executable).parent / "oxigraph"
    command = [
        str(binary),
        "serve",
        "--location",
        str(folder),
        "--bind",
        url.removeprefix("http://"),
        "--timeout-s",
        "3",
    ]
    with (
        (folder.parent / f"{folder.name}.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as server,
    ):
        try:
            wait_for(url, server)
            request = urllib.request.Request(
                f"{url}/store",
                to_bytes(quads, RdfFormat.N_QUADS),
                {"Content-Type": "application/n-quads"},
                method="POST",
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.status in (200, 201, 204)
            yield f"{url}/query"
        finally:
            server.kill()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    until = time.monotonic() + 20
    while server.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module")
def foreign_endpoint(foreign: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint that holds the foreign release."""
    with oxigraph_server(
        tmp_path_factory.mktemp("server") / "foreign", for_remote_store(quads_of(foreign), foreign.publication)
    ) as url:
        yield url


@pytest.fixture(scope="module")
def own_endpoint(own: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint that holds the repository's own release."""
    with oxigraph_server(
        tmp_path_factory.mktemp("server") / "own", for_remote_store(quads_of(own), own.publication)
    ) as url:
        yield url


def remote_of(of: Built, url: str) -> RemoteStore:
    """The remote store at an endpoint, without the look at its contents with which `open_store` begins."""
    publication = of.publication
    return RemoteStore(
        url,
        sorted(of.release.manifest["statistics"]["graphs"]),
        publication.merged_graph,
        publication.skolem_prefix,
        Dialect(publication.base_iri, publication.prefixes),
        PoolLimits.of(publication.limits),
    )


@pytest.fixture(scope="module", params=["embedded", "remote"])
def store(request: pytest.FixtureRequest, foreign: Built) -> Iterator[Store]:
    """The foreign release in each kind of store."""
    opened = (
        remote_of(foreign, request.getfixturevalue("foreign_endpoint"))
        if request.param == "remote"
        else open_store(foreign.publication, foreign.release, "")
    )
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=["embedded", "remote"])
def own_store(request: pytest.FixtureRequest, own: Built) -> Iterator[Store]:
    """The repository's own release in each kind of store."""
    opened = (
        remote_of(own, request.getfixturevalue("own_endpoint"))
        if request.param == "remote"
        else open_store(own.publication, own.release, "")
    )
    yield opened
    opened.close()


Row = tuple[str | None, ...]


def solutions(
    store: Store, text: str, default: tuple[str, ...] | None = None, named: tuple[str, ...] | None = None
) -> list[Row]:
    """The rows of a SELECT, terms as N-Triples write them."""
    answer = store.answer(Query(text, default, named, JSON, N_TRIPLES))
    assert BINDINGS == answer.kind
    results = parse_query_results(answer.read(), format=QueryResultsFormat.JSON)
    assert isinstance(results, QuerySolutions)
    names = [variable.value for variable in results.variables]
    return [tuple(None if row[name] is None else str(row[name]) for name in names) for row in results]


def count(
    store: Store, pattern: str, default: tuple[str, ...] | None = None, named: tuple[str, ...] | None = None
) -> int:
    """How many solutions a pattern has."""
    ((number,),) = solutions(store, f"SELECT (COUNT(*) AS ?count) WHERE {{ {pattern} }}", default, named)
    assert number is not None
    return int(number.split('"')[1])


def truth(store: Store, text: str) -> bool:
    answer = store.answer(Query(text, results=JSON))
    assert BOOLEAN == answer.kind
    found = parse_query_results(answer.read(), format=QueryResultsFormat.JSON)
    assert isinstance(found, QueryBoolean)
    return bool(found)


# --- look-ups of our own ---------------------------------------------------------------------------------------------


def test_every_subject_is_described_with_its_graphs_and_its_blank_nodes(store: Store, foreign: Built) -> None:
    quads = quads_of(foreign)
    subjects: list[Node] = sorted(
        {quad.subject for quad in quads if isinstance(quad.subject, NamedNode | BlankNode)}, key=str
    )
    assert len(subjects) >= 201  # more than a remote store is asked for at once
    found = store.describe(subjects)
    assert len(found) == len(set(found))
    assert set(quads) == set(found)


def test_statements_are_matched_by_any_of_their_terms(store: Store, foreign: Built) -> None:
    quads = quads_of(foreign)
    for quad in sorted(quads, key=str)[:: len(quads) // 12]:
        for given in range(1, 8):
            subject = quad.subject if given & 1 else None
            predicate = quad.predicate if given & 2 else None
            object_ = quad.object if given & 4 else None
            expected = {
                other
                for other in quads
                if subject in (None, other.subject)
                and predicate in (None, other.predicate)
                and object_ in (None, other.object)
            }
            assert not isinstance(subject, Triple)
            found = store.match(subject, predicate, object_)
            assert len(found) == len(set(found)) == min(len(expected), MATCHED)
            assert set(found) <= expected


def test_no_more_is_matched_than_the_bound(own_store: Store) -> None:
    assert MATCHED == len(own_store.match(None, RDF.type, None))
    assert f"LIMIT {MATCHED}" in files("tracktwo.store").joinpath("queries", "match.rq").read_text(encoding="utf-8")


def test_some_subjects_are_described_alone(store: Store, foreign: Built) -> None:
    quads = quads_of(foreign)
    for name in (
        "thing/route/ring",
        "thing/ship/values",
        "thing/route/Syros%2FParos",
        "thing/ship/St_John's_Light",
        "islands#Σύρος",
        "thing/ship/a+b&c!$*~d",
    ):
        subject = NamedNode(PHAROS + name)
        expected = {quad for quad in quads if quad.subject == subject}
        assert expected
        assert expected == set(store.describe([subject]))


def test_a_blank_node_that_came_back_can_be_asked_for_again(store: Store) -> None:
    twins = [
        quad.object
        for quad in store.describe([NamedNode(PHAROS + "thing/ship/twins")])
        if quad.predicate == NamedNode(PH + "beacon")
    ]
    assert [BlankNode, BlankNode] == [type(twin) for twin in twins]
    found = store.describe([twin for twin in twins if isinstance(twin, BlankNode)])
    assert set(twins) == {quad.subject for quad in found}


def test_nothing_is_said_about_what_is_not_there(store: Store) -> None:
    assert [] == store.describe([])
    assert [] == store.describe([NamedNode(PHAROS + "thing/nothing"), BlankNode("nothing")])


def test_each_graph_is_given_whole(store: Store, foreign: Built) -> None:
    quads = quads_of(foreign)
    graphs = sorted({name_of(quad.graph_name) for quad in quads})
    assert 16 == len(graphs)
    for graph in graphs:
        assert {quad.triple for quad in quads if name_of(quad.graph_name) == graph} == set(store.graph(graph))
    assert [] == list(store.graph(PHAROS + "named/nothing"))


def test_the_size_counts_a_triple_of_two_graphs_once(store: Store, foreign: Built) -> None:
    assert 963 == store.size() == foreign.release.manifest["statistics"]["triples"]


# --- kinds and formats -----------------------------------------------------------------------------------------------

SELECT = (
    f"SELECT ?ship ?name ?height WHERE {{ ?ship a <{PH}Ship> . OPTIONAL {{ ?ship <{RDFS.label.value}> ?name }} "
    f"OPTIONAL {{ ?ship <{PH}height> ?height }} }} ORDER BY ?ship ?name"
)
CONSTRUCT = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{PHAROS}named/hostile> {{ ?s ?p ?o FILTER(!ISBLANK(?o)) }} }}"


def test_ask_gives_a_truth_value(store: Store) -> None:
    assert truth(store, f"ASK {{ <{RING}> ?p ?o }}")
    assert not truth(store, f"ASK {{ <{PHAROS}thing/nothing> ?p ?o }}")


@pytest.mark.parametrize("format_", RESULT_FORMATS, ids=lambda format_: format_.name)
def test_ask_answers_in_every_format(store: Store, format_: Format) -> None:
    answer = store.answer(Query("ASK {}", results=format_))
    assert (BOOLEAN, format_) == (answer.kind, answer.format)
    text = answer.read().decode()
    assert "true" in text


@pytest.mark.parametrize("format_", [JSON, XML, TSV], ids=lambda format_: format_.name)
def test_select_answers_in_every_format_that_keeps_terms(store: Store, format_: Format) -> None:
    expected = solutions(store, SELECT)
    assert len(expected) >= 15
    answer = store.answer(Query(SELECT, results=format_))
    assert (BINDINGS, format_) == (answer.kind, answer.format)
    results = parse_query_results(answer.read(), format=format_.results)
    assert isinstance(results, QuerySolutions)
    assert expected == [
        tuple(None if row[name] is None else str(row[name]) for name in ("ship", "name", "height")) for row in results
    ]


def test_select_answers_in_csv(store: Store) -> None:
    answer = store.answer(Query(SELECT, results=CSV))
    lines = list(csv.reader(io.StringIO(answer.read().decode(), newline="")))
    assert ["ship", "name", "height"] == lines[0]
    expected = [
        tuple(
            "" if term is None else term.strip("<>") if term.startswith("<") else term[1:].partition('"')[0]
            for term in row
        )
        for row in solutions(store, SELECT)
    ]
    assert expected == [tuple(line) for line in lines[1:]]


@pytest.mark.parametrize("format_", RDF_FORMATS, ids=lambda format_: format_.name)
def test_construct_answers_in_every_format(store: Store, foreign: Built, format_: Format) -> None:
    expected = {quad.triple for quad in quads_of(foreign) if name_of(quad.graph_name) == PHAROS + "named/hostile"}
    assert len(expected) >= 50
    answer = store.answer(Query(CONSTRUCT, graph=format_))
    assert (GRAPH, format_) == (answer.kind, answer.format)
    assert expected == {quad.triple for quad in parse(answer.read(), format=format_.rdf)}


def test_describe_gives_triples(store: Store, foreign: Built) -> None:
    answer = store.answer(Query(f"DESCRIBE <{RING}>", graph=N_TRIPLES))
    assert GRAPH == answer.kind
    expected = {quad.triple for quad in quads_of(foreign) if quad.subject == NamedNode(RING)}
    assert expected <= {quad.triple for quad in parse(answer.read(), format=RdfFormat.N_TRIPLES)}


@pytest.mark.parametrize("text", ["SELECT * {}", "ASK {}"])
def test_rows_that_no_accepted_format_can_hold_are_told(store: Store, text: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        store.answer(Query(text, graph=TURTLE))
    assert tuple(row.media_type for row in RESULT_FORMATS) == caught.value.offered
    assert truth(store, "ASK {}")


def test_triples_that_no_accepted_format_can_hold_are_told(store: Store) -> None:
    with pytest.raises(NotAcceptable) as caught:
        store.answer(Query("CONSTRUCT WHERE { ?s ?p ?o }", results=JSON))
    assert tuple(row.media_type for row in RDF_FORMATS) == caught.value.offered


def test_the_querys_order_is_kept(store: Store) -> None:
    text = f"SELECT ?x WHERE {{ <{PHAROS}thing/chart/Σαρωνικός> <{PH}shows> ?x }} ORDER BY DESC(?x)"
    found = [row[0] for row in solutions(store, text)]
    assert 66 == len(found)
    assert found == sorted(found, key=str, reverse=True)


# --- the dataset -----------------------------------------------------------------------------------------------------


def test_the_default_graph_is_the_merge(store: Store) -> None:
    assert 963 == count(store, "?s ?p ?o")


def test_a_triple_in_two_graphs_counts_once_in_the_merge_and_twice_by_graph(store: Store) -> None:
    triple = f'<{RING}> <{PH}departs> "07:30:00"^^<http://www.w3.org/2001/XMLSchema#time>'
    assert 1 == count(store, triple)
    assert 2 == count(store, f"GRAPH ?g {{ {triple} }}")


def test_the_named_graphs_are_the_releases(store: Store, foreign: Built) -> None:
    found = {row[0] for row in solutions(store, "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }")}
    assert {f"<{graph}>" for graph in foreign.release.manifest["statistics"]["graphs"]} == found


def test_what_only_follows_stands_in_a_graph_of_its_own(store: Store, foreign: Built) -> None:
    assert 195 == count(store, f"GRAPH <{foreign.publication.inferred_graph}> {{ ?s ?p ?o }}")


DEPARTS = f"?route <{PH}departs> ?time"


@pytest.mark.parametrize(
    ("pattern", "default", "named", "expected"),
    [
        (DEPARTS, None, None, 5),
        (DEPARTS, (SUMMER,), (), 4),
        (DEPARTS, (WINTER,), (), 2),
        (DEPARTS, (), (SUMMER,), 0),
        (DEPARTS, (PHAROS + "named/nothing",), (), 0),
        (f"GRAPH ?g {{ {DEPARTS} }}", None, None, 6),
        (f"GRAPH ?g {{ {DEPARTS} }}", (), (SUMMER,), 4),
        (f"GRAPH ?g {{ {DEPARTS} }}", (), (SUMMER, WINTER), 6),
        (f"GRAPH ?g {{ {DEPARTS} }}", (SUMMER,), (), 0),
        (f"GRAPH ?g {{ {DEPARTS} }}", (SUMMER,), (WINTER,), 2),
        (f"GRAPH <{SUMMER}> {{ {DEPARTS} }}", (SUMMER,), (WINTER,), 0),
    ],
)
def test_the_protocols_parameters_make_the_dataset(
    store: Store, pattern: str, default: tuple[str, ...] | None, named: tuple[str, ...] | None, expected: int
) -> None:
    assert expected == count(store, pattern, default, named)


@pytest.mark.parametrize(
    ("dataset", "pattern", "expected"),
    [
        (f"FROM <{SUMMER}>", DEPARTS, 4),
        (f"from <{SUMMER}>", DEPARTS, 4),
        (f"FROM NAMED <{SUMMER}>", f"GRAPH ?g {{ {DEPARTS} }}", 4),
        (f"FROM NAMED <{SUMMER}>", DEPARTS, 0),
        (f"FROM <{WINTER}> FROM NAMED <{SUMMER}>", f"{DEPARTS} GRAPH ?g {{ {DEPARTS} }}", 1),
    ],
)
def test_the_querys_own_clauses_make_the_dataset(store: Store, dataset: str, pattern: str, expected: int) -> None:
    ((number,),) = solutions(store, f"SELECT (COUNT(*) AS ?count) {dataset} WHERE {{ {pattern} }}")
    assert f'"{expected}"^^<http://www.w3.org/2001/XMLSchema#integer>' == number


def test_a_triple_of_two_default_graphs_counts_once(store: Store) -> None:
    if isinstance(store, RemoteStore):  # how an endpoint merges is its own affair; Oxigraph's server makes a bag
        assert 6 == count(store, DEPARTS, (SUMMER, WINTER), ())
        return
    assert 5 == count(store, DEPARTS, (SUMMER, WINTER), ())  # SPARQL 1.1 section 13.1: their merge, so a set
    assert 5 == len(solutions(store, f"SELECT * FROM <{SUMMER}> FROM <{WINTER}> WHERE {{ {DEPARTS} }}"))


def test_the_protocols_parameters_win_over_the_querys_clauses(store: Store) -> None:
    text = f"SELECT * FROM <{WINTER}> WHERE {{ {DEPARTS} }}"
    assert 4 == len(solutions(store, text, (SUMMER,), ()))


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT ?from WHERE {{ ?from <{PH}departs> ?time }}",
        f"SELECT ?route WHERE {{ ?route <{PH}departs> ?time FILTER(?time != 'from') }}",
        f"SELECT ?route WHERE {{ ?route <{PH}departs> ?time }} # FROM all of them",
        f"SELECT ?route WHERE {{ ?route <{PH}departs> ?time FILTER(?time != <urn:from>) }}",
    ],
    ids=["a variable", "a string", "a comment", "an IRI"],
)
def test_a_word_that_is_no_clause_makes_no_dataset(store: Store, text: str) -> None:
    assert 5 == len(solutions(store, text))


# --- what a query need not declare -----------------------------------------------------------------------------------


def test_the_publications_prefixes_are_declared(store: Store) -> None:
    assert 20 <= count(store, "?ship a ph:Ship ; rdfs:label ?name") <= 40
    assert truth(store, "ASK { isl:Σύρος a ph:Island }")
    assert truth(store, "ASK{GRAPH?g{isl:Σύρος a ph:Island}}")


def test_a_prefix_that_the_query_declares_is_the_querys(store: Store) -> None:
    assert truth(store, f"PREFIX rdfs: <{PH}> ASK {{ ?x a rdfs:Ship }}")
    assert truth(
        store, f"# PREFIX ph: <urn:x>\nPREFIX wd: <{PH}>\nASK {{ ?x a wd:Ship ; a ph:Ship ; rdfs:label 'Nest'@en }}"
    )


def test_what_only_looks_like_a_prefixed_name_changes_nothing(store: Store) -> None:
    assert truth(store, "ASK { FILTER('ph:x wd:y' = \"ph:x wd:y\") } # isl:z")


def test_relative_iris_are_below_the_base(store: Store) -> None:
    assert truth(store, "ASK { <thing/route/ring> a ph:Route }")
    assert truth(store, f"BASE <{PHAROS}thing/> ASK {{ <route/ring> a ph:Route }}")


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "SELECT",
        "SELECT * WHERE { ?s ?p }",
        "SELECT * WHERE { ?s unknown:p ?o }",
        "x",
        "",
        "SELECT * { ?s ?p 'unclosed }",
        "\x00",
    ],
)
def test_a_syntax_error_is_told_as_such(store: Store, text: str) -> None:
    with pytest.raises(QueryError) as caught:
        store.answer(Query(text, results=JSON, graph=TURTLE)).read()
    assert caught.value.message


def test_a_syntax_error_has_the_line_of_the_text_as_it_was_sent(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        store.answer(Query("SELECT *\nWHERE {\n  ?s a ph:Ship\n} surplus", results=JSON))
    assert re.search(r"line 4, column|4:\d", str(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
        "CLEAR ALL",
        "DROP ALL",
        "LOAD <http://127.0.0.1:9/>",
        "DELETE WHERE { ?s ?p ?o }",
    ],
)
def test_an_update_is_no_query_and_changes_nothing(store: Store, text: str) -> None:
    with pytest.raises(QueryError):
        store.answer(Query(text, results=JSON, graph=TURTLE)).read()
    assert 963 == count(store, "?s ?p ?o")


def test_a_result_over_the_limit_is_stopped(store: Store) -> None:
    answer = store.answer(Query("SELECT * { ?a ?b ?c . ?d ?e ?f }", results=JSON))
    size = 0
    with pytest.raises(QueryTooBig, match="4 MB"):
        for chunk in answer.chunks:
            size += len(chunk)
    answer.close()
    assert 1 << 20 < size <= 4 << 20
    assert truth(store, "ASK {}")


def test_an_answer_may_be_left_before_its_end(store: Store) -> None:
    answer = store.answer(Query("SELECT * { ?a ?b ?c . ?d ?e ?f }", results=JSON))
    assert next(iter(answer.chunks))
    answer.close()
    assert truth(store, "ASK {}")


def test_a_query_whose_client_has_gone_is_stopped(store: Store) -> None:
    gone = threading.Event()
    answer = store.answer(Query("SELECT * { ?a ?b ?c . ?d ?e ?f }", results=JSON, gone=gone))
    assert next(iter(answer.chunks))
    gone.set()
    with pytest.raises(StoreUnavailable, match="client"):
        list(answer.chunks)
    answer.close()
    assert truth(store, "ASK {}")


def test_a_query_past_its_deadline_is_stopped(store: Store) -> None:
    start = time.monotonic()
    with pytest.raises(QueryTimeout):
        store.answer(
            Query("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(?c < ?l) }", results=JSON)
        ).read()
    assert 1.5 < time.monotonic() - start < 4
    assert truth(store, "ASK {}")


# --- the questions answer the same from both -------------------------------------------------------------------------


def expected_rows(path: Path) -> list[Row]:
    results = parse_query_results(path.read_bytes(), format=QueryResultsFormat.TSV)
    assert isinstance(results, QuerySolutions)
    names = [variable.value for variable in results.variables]
    return [tuple(None if row[name] is None else str(row[name]) for name in names) for row in results]


def wrong_answers(store: Store, folder: Path) -> list[str]:
    return [
        path.name
        for path in sorted(folder.glob("*.rq"))
        if expected_rows(path.with_suffix(".tsv")) != solutions(store, path.read_text(encoding="utf-8"))
    ]


def test_the_questions_of_the_repository_are_answered(own_store: Store, own: Built) -> None:
    folder = own.publication.folders["ontology"] / "questions"
    assert len(list(folder.glob("*.rq"))) >= 24
    assert [] == wrong_answers(own_store, folder)


def test_the_questions_of_the_foreign_publication_are_answered(store: Store, foreign: Built) -> None:
    folder = foreign.publication.folders["ontology"] / "questions"
    assert 2 == len(list(folder.glob("*.rq")))
    assert [] == wrong_answers(store, folder)


# --- stores that are not as they should be ---------------------------------------------------------------------------


def remote(url: str, limits: PoolLimits = LIMITS) -> RemoteStore:
    return RemoteStore(
        url, [SUMMER], PHAROS + "named/merged", PHAROS + ".well-known/genid/", Dialect(PHAROS, {}), limits
    )


def asked(store: Store) -> list[Callable[[], object]]:
    """Everything that a store can be asked."""
    return [
        store.size,
        lambda: store.describe([NamedNode(RING)]),
        lambda: list(store.graph(SUMMER)),
        lambda: store.answer(Query("SELECT * { ?s ?p ?o }", results=JSON)).read(),
    ]


def test_an_embedded_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="nowhere"):
        EmbeddedStore(tmp_path / "nowhere", Dialect(PHAROS, {}), LIMITS)


def test_a_remote_store_that_is_not_there_is_told(foreign: Built) -> None:
    url = f"http://127.0.0.1:{free_port()}/query"
    for question in asked(remote(url)):
        with pytest.raises(StoreUnavailable, match=url):
            question()
    with pytest.raises(StoreUnavailable):
        open_store(foreign.publication, foreign.release, url)


def test_a_remote_store_of_the_releases_contents_is_opened(foreign: Built, foreign_endpoint: str) -> None:
    store = open_store(foreign.publication, foreign.release, foreign_endpoint)
    assert truth(store, "ASK { ?s ?p ?o }")
    store.close()


def test_a_remote_store_of_other_contents_is_told(own: Built, foreign_endpoint: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(own.publication, own.release, foreign_endpoint)
    assert str(own.release.manifest["statistics"]["triples"]) in caught.value.message
    assert "--merged" in caught.value.hint


def test_a_path_of_the_server_that_is_no_endpoint_is_told(foreign_endpoint: str) -> None:
    for question in asked(remote(foreign_endpoint.replace("/query", "/nothing"))):
        with pytest.raises(StoreUnavailable):
            question()


@contextmanager
def peer(said: bytes, *, stays: bool = False) -> Iterator[str]:
    """Something that listens, says the same to everyone, and hangs up, unless it `stays`."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def talk() -> None:
        open_ = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            open_.append(connection)
            connection.settimeout(5)
            connection.recv(65_536)
            connection.sendall(said)
            if not stays:
                connection.shutdown(socket.SHUT_RDWR)
        for connection in open_:
            connection.close()

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/query"
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def http(status: str, media_type: str, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


ROW = b'{"head":{"vars":["s","p","o","subject","predicate","object","graph","size"]},"results":{"bindings":[{'


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"what?\r\n\r\n",
        http("200 OK", "text/html", b"<html>sign in</html>"),
        http("200 OK", JSON.media_type, b"not JSON"),
        http("200 OK", JSON.media_type, b""),
        http("200 OK", JSON.media_type, ROW, 5_000),
        http("204 No Content", JSON.media_type, b""),
        http("401 Unauthorized", "text/plain", b"who are you?"),
        http("403 Forbidden", "text/plain", b"no"),
        http("404 Not Found", "text/plain", b"nothing"),
        http("429 Too Many Requests", "text/plain", b"later"),
        http("500 Internal Server Error", "text/plain", b"oops"),
        http("503 Service Unavailable", "text/plain", b"later"),
        http("302 Found\r\nLocation: http://127.0.0.1:9/", "text/plain", b""),
    ],
    ids=[
        "nothing",
        "no HTTP",
        "a page",
        "no JSON",
        "empty",
        "cut",
        "204",
        "401",
        "403",
        "404",
        "429",
        "500",
        "503",
        "elsewhere",
    ],
)
def test_a_peer_that_is_no_endpoint_is_told_as_such(said: bytes) -> None:
    with peer(said) as url:
        for question in asked(remote(url))[:3]:
            with pytest.raises(StoreUnavailable):
                question()


@pytest.mark.parametrize(
    "said", [b"", http("200 OK", JSON.media_type, ROW, 5_000)], ids=["says nothing", "stops in the middle"]
)
def test_a_peer_that_lets_us_wait_is_left_at_the_deadline(said: bytes) -> None:
    limits = PoolLimits(workers=1, seconds=1, queue_seconds=1, memory_mb=512, result_mb=4, result_rows=100_000)
    with peer(said, stays=True) as url:
        store = remote(url, limits)
        for question in (asked(store)[0], asked(store)[3]):
            start = time.monotonic()
            with pytest.raises(QueryTimeout):
                question()
            assert time.monotonic() - start < 3


def test_a_peer_that_hangs_up_in_the_middle_breaks_the_answer() -> None:
    with peer(http("200 OK", JSON.media_type, ROW, 5_000)) as url:
        answer = remote(url).answer(Query("SELECT * { ?s ?p ?o }", results=JSON))
        with pytest.raises(StoreUnavailable):
            answer.read()


def test_a_literal_of_a_remote_row_is_as_it_was_stored(store: Store) -> None:
    found = {
        quad.object
        for quad in store.describe([NamedNode(PHAROS + "thing/ship/text")])
        if isinstance(quad.object, Literal)
    }
    assert Literal("line one\nline two\r\nline three\tafter a tab\rafter a carriage return") in found
    assert Literal("") in found
    assert Literal(" leading and trailing ") in found
