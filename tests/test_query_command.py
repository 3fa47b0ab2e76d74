"""`tracktwo query`: the endpoint's limits, formats and messages at the command line."""

import json
import subprocess
from pathlib import Path

import pytest
import serving
from conftest import FOREIGN
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, parse, parse_query_results
from serving import Site

from tracktwo.formats import RDF_FORMATS, RESULT_FORMATS, Format

foreign_site = serving.foreign_site

CLASSES = "SELECT ?class (COUNT(*) AS ?n) WHERE { ?x a ?class } GROUP BY ?class ORDER BY ?class"
LIGHTHOUSES = "CONSTRUCT WHERE { ?x a ph:Lighthouse }"
CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i"


def query(site: Site, *arguments: str | Path, code: int = 0, given: bytes = b"") -> tuple[str, str]:
    """What the command writes to standard output and to standard error; without tracebacks, whatever it is asked."""
    line = serving.command("query", "--publication", FOREIGN, "--releases", site.releases, *arguments)
    done = subprocess.run(line, input=given, capture_output=True, timeout=60, check=False)
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert code == done.returncode, said
    return done.stdout.decode(), said


@pytest.mark.parametrize("format_", RESULT_FORMATS, ids=lambda row: row.name)
def test_rows_come_in_every_format_of_the_endpoint(foreign_site: Site, format_: Format) -> None:
    out, said = query(foreign_site, "--format", format_.name, "-e", CLASSES)
    assert "" == said
    assert foreign_site.query(CLASSES, format_.media_type).content == out.encode()
    if format_.name != "csv":
        found = parse_query_results(out.encode(), format=QueryResultsFormat.from_media_type(format_.media_type))
        assert isinstance(found, QuerySolutions)
        assert len(list(found)) > 5


@pytest.mark.parametrize("format_", RDF_FORMATS, ids=lambda row: row.name)
def test_triples_come_in_every_format_of_the_endpoint(foreign_site: Site, format_: Format) -> None:
    out, _ = query(foreign_site, "--format", format_.name, "-e", LIGHTHOUSES)
    rdf = RdfFormat.from_media_type(format_.media_type)
    assert rdf
    theirs = foreign_site.query(LIGHTHOUSES, format_.media_type).content
    assert set(parse(theirs, format=rdf)) == set(parse(out.encode(), format=rdf)) != set()


def test_a_table_counts_its_rows(foreign_site: Site) -> None:
    out, _ = query(foreign_site, "-e", "SELECT (1 AS ?n) ?m WHERE { VALUES ?m { 'x' 'y' } }")
    assert "2 rows" == out.splitlines()[-1]
    assert ["1", "x"] == out.splitlines()[3].replace("│", " ").split()
    assert "1 row" == query(foreign_site, "-e", "SELECT ?n WHERE { VALUES ?n { 1 } }")[0].splitlines()[-1]
    assert "0 rows" == query(foreign_site, "-e", "SELECT ?n WHERE { VALUES ?n { } }")[0].splitlines()[-1]
    assert ("yes\n", "") == query(foreign_site, "-e", "ASK { ?s ?p ?o }")
    assert " a <https://data.pharos.example/vocab#Lighthouse>" in query(foreign_site, "-e", LIGHTHOUSES)[0]


def test_a_query_comes_from_a_file_or_standard_input(foreign_site: Site, tmp_path: Path) -> None:
    file = tmp_path / "asked.rq"
    file.write_text("ASK { ?s ?p ?o FILTER CONTAINS(STR(?s), 'Κόρακας') }", encoding="utf-8")
    assert "yes\n" == query(foreign_site, file)[0]
    assert "yes\n" == query(foreign_site, "-", given=file.read_bytes())[0]


def test_a_fault_is_told_as_the_endpoint_tells_it(foreign_site: Site) -> None:
    for text in (
        "SELECT *\nWHERE { ?s nonsense ?o }",
        "SELECT *\nWHERE { ?s fof:name ?o }",
        "CLEAR ALL",
        "ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "ASK { ?s ?p ?o } #" + "x" * 20_000,
    ):
        problem = foreign_site.post(text, "application/sparql-query").json()
        out, said = query(foreign_site, "-e", text, code=1)
        expected = [f"tracktwo: {problem['detail']}", *([problem["hint"]] if "hint" in problem else [])]
        assert ("", expected) == (out, said.splitlines()), text


def test_a_fault_has_its_line_and_column_and_an_unknown_prefix_the_nearest(foreign_site: Site) -> None:
    assert "line 2, column " in query(foreign_site, "-e", "SELECT *\nWHERE { ?s nonsense ?o }", code=1)[1]
    _, said = query(foreign_site, "-e", "SELECT *\nWHERE { ?s fof:name ?o }", code=1)
    assert "line 2, column " in said
    assert "Did you mean “foaf:”?" in said


def test_an_unknown_term_of_ours_gets_the_nearest_beside_the_answer(foreign_site: Site) -> None:
    text = "SELECT ?x WHERE { ?x a ph:Lighthose }"
    out, said = query(foreign_site, "--format", "json", "-e", text)
    assert [] == json.loads(out)["results"]["bindings"]
    assert f"hint: {foreign_site.query(text).headers['tracktwo-hint']}\n" == said
    assert "ph:Lighthose does not occur here. Did you mean ph:Lighthouse?" in said


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        (f"SELECT (COUNT(*) AS ?n) WHERE {{ {CROSS} }}", 504, "ran past its deadline"),
        (f"SELECT * WHERE {{ {CROSS} }} ORDER BY ?i ?f ?c", 507, ""),
    ],
    ids=["time", "memory"],
)
def test_time_and_memory_are_limited_as_at_the_endpoint(
    foreign_site: Site, text: str, status: int, sentence: str
) -> None:
    problem = foreign_site.query(text)
    if problem.status_code != status:  # whichever limit a busy machine meets first
        assert problem.status_code in (504, 507)
    out, said = query(foreign_site, "--format", "csv", "-e", text, code=1)
    assert "" == out
    assert sentence in said or "memory" in said or "deadline" in said


def test_the_size_is_limited_and_an_answer_cut_off_is_a_failure(foreign_site: Site) -> None:
    out, said = query(foreign_site, "--format", "csv", "-e", f"SELECT * WHERE {{ {CROSS} }}", code=1)
    assert len(out.encode()) <= 4 << 20
    assert said.startswith("tracktwo: The result is over ")
    assert ("", 1) == (query(foreign_site, "-e", f"SELECT * WHERE {{ {CROSS} }}", code=1)[0], said.count("\n"))


def test_what_is_no_text_is_told(foreign_site: Site) -> None:
    assert "not UTF-8" in query(foreign_site, "-", given=b"ASK { \xff }", code=1)[1]
    line = serving.command("query", "--publication", FOREIGN, "--releases", foreign_site.releases, "-e")
    done = subprocess.run([*line, b"\xff"], capture_output=True, timeout=60, check=False)
    assert (1, b"") == (done.returncode, done.stdout)
    assert b"not UTF-8" in done.stderr


def test_a_format_that_the_answer_cannot_have_is_told(foreign_site: Site) -> None:
    for text, format_ in ((CLASSES, "ttl"), (LIGHTHOUSES, "csv")):
        out, said = query(foreign_site, "--format", format_, "-e", text, code=1)
        assert "" == out
        assert "None of the formats" in said


def test_any_endpoint_is_asked_with_our_prefixes_and_tells_its_faults(foreign_site: Site) -> None:
    endpoint = f"{foreign_site.url}sparql"
    here, there = (
        query(foreign_site, "--format", "csv", "-e", CLASSES, *more)[0] for more in ((), ("--endpoint", endpoint))
    )
    assert sorted(here.split()) == sorted(there.split())
    assert "yes\n" == query(foreign_site, "--endpoint", endpoint, "-e", "ASK { ?x a ph:Lighthouse }")[0]
    assert "can't be reached" in query(foreign_site, "--endpoint", "http://127.0.0.1:9/", "-e", "ASK {}", code=1)[1]
