"""curl as a client of the endpoint: what somebody types at a terminal, with nothing but curl's own defaults."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import serving
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, parse, parse_query_results
from serving import Site

own_site, foreign_site = serving.own_site, serving.foreign_site

CURL = shutil.which("curl")
PERSON = "https://w3id.org/tracktwo/id/person/pavel-s-zolotarev"
SELECT = f"SELECT ?name WHERE {{ <{PERSON}> rdfs:label ?name }} ORDER BY ?name"
CONSTRUCT = f"CONSTRUCT WHERE {{ <{PERSON}> ?p ?o }}"
NEVER = "FILTER (STRLEN(CONCAT(STR(?a), STR(?d), STR(?g))) < 0)"
ENDLESS = f"SELECT (COUNT(*) AS ?n) WHERE {{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i {NEVER} }}"
FORM: dict[str, Callable[[str], list[str]]] = {
    "GET": lambda text: ["-G", "--data-urlencode", f"query={text}"],
    "POST form": lambda text: ["--data-urlencode", f"query={text}"],
    "POST direct": lambda text: ["-H", "Content-Type: application/sparql-query", "--data-binary", text],
}

if CURL is None:
    if os.environ.get("CI"):
        raise RuntimeError("curl is needed here: apt-get install curl")
    pytest.skip("curl is not installed", allow_module_level=True)


@dataclass(frozen=True)
class Said:
    """What curl printed, the status and the media type."""

    body: str
    status: int
    kind: str


def curl(url: str, *arguments: str, cwd: Path | None = None) -> Said:
    line = [str(CURL), "-sS", "--noproxy", "*", "-w", "\n%{http_code} %{content_type}", *arguments, url]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True, cwd=cwd)
    body, _, written = done.stdout.rpartition("\n")
    status, _, media_type = written.partition(" ")
    return Said(body, int(status), media_type.partition(";")[0])


@pytest.mark.parametrize("form", FORM)
def test_each_form_of_the_protocol_gives_json(own_site: Site, form: str) -> None:
    said = curl(f"{own_site.url}sparql", *FORM[form](SELECT))
    assert (200, "application/sparql-results+json") == (said.status, said.kind)
    names = [row["name"]["value"] for row in json.loads(said.body)["results"]["bindings"]]
    assert ["Pavel S. Zolotarev", "Павел Золотарёв"] == names


@pytest.mark.parametrize("form", FORM)
@pytest.mark.parametrize(
    "accept",
    ["application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"],
)
def test_rows_come_as_asked(own_site: Site, form: str, accept: str) -> None:
    said = curl(f"{own_site.url}sparql", "-H", f"Accept: {accept}", *FORM[form](SELECT))
    assert (200, accept) == (said.status, said.kind)
    if accept == "text/csv":
        assert ["name", "Pavel S. Zolotarev", "Павел Золотарёв"] == said.body.splitlines()
        return
    found = parse_query_results(said.body.encode(), format=QueryResultsFormat.from_media_type(accept))
    assert isinstance(found, QuerySolutions)
    assert ['"Pavel S. Zolotarev"@en', '"Павел Золотарёв"@ru'] == [str(row["name"]) for row in found]


@pytest.mark.parametrize("form", FORM)
def test_triples_come_as_turtle_or_as_asked(own_site: Site, form: str) -> None:
    turtle = curl(f"{own_site.url}sparql", *FORM[form](CONSTRUCT))
    lines = curl(f"{own_site.url}sparql", "-H", "Accept: application/n-triples", *FORM[form](CONSTRUCT))
    assert [(200, "text/turtle"), (200, "application/n-triples")] == [(one.status, one.kind) for one in (turtle, lines)]
    said = set(parse(turtle.body.encode(), format=RdfFormat.TURTLE))
    assert said == set(parse(lines.body.encode(), format=RdfFormat.N_TRIPLES))
    assert len(said) > 10


def test_ask_and_the_format_parameter(own_site: Site) -> None:
    said = curl(f"{own_site.url}sparql", "-G", "--data-urlencode", f"query=ASK {{ <{PERSON}> ?p ?o }}")
    assert json.loads(said.body)["boolean"]
    said = curl(f"{own_site.url}sparql", "-G", "--data-urlencode", f"query={SELECT}", "-d", "format=csv")
    assert (200, "text/csv") == (said.status, said.kind)


def test_a_query_is_sent_from_a_file(own_site: Site, tmp_path: Path) -> None:
    (tmp_path / "asked.rq").write_text(SELECT, encoding="utf-8")
    said = curl(f"{own_site.url}sparql", "--data-urlencode", "query@asked.rq", cwd=tmp_path)
    assert "Павел Золотарёв" in said.body


def test_faults_have_a_status_and_say_what_is_wrong(own_site: Site) -> None:
    endpoint = f"{own_site.url}sparql"
    for arguments, status, part in (
        (FORM["POST form"]("SELECT *\nWHERE { ?s nonsense ?o }"), 400, '"line": 2'),
        (FORM["POST form"]("CLEAR ALL"), 403, "takes no updates"),
        (FORM["POST form"]("ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"), 403, "SERVICE is refused"),
        (["-H", "Accept: image/png", *FORM["GET"](SELECT)], 406, "text/csv"),
        (["-H", "Content-Type: text/plain", "--data-binary", SELECT], 415, "application/sparql-query"),
        (["-X", "DELETE"], 405, "Method Not Allowed"),
    ):
        said = curl(endpoint, *arguments)
        wanted = "text/plain" if status == 406 else "application/problem+json"  # an Accept that no problem fits
        assert (status, wanted) == (said.status, said.kind)
        assert part in said.body


def test_a_deadline_is_504_and_fails_a_script(foreign_site: Site) -> None:
    said = curl(f"{foreign_site.url}sparql", *FORM["POST form"](ENDLESS))
    assert (504, "application/problem+json") == (said.status, said.kind)
    assert "deadline" in said.body
    line = [
        str(CURL),
        "-sS",
        "--fail",
        "--noproxy",
        "*",
        "--data-urlencode",
        f"query={ENDLESS}",
        f"{foreign_site.url}sparql",
    ]
    assert 22 == subprocess.run(line, capture_output=True, timeout=60, check=False).returncode


def test_an_answer_that_breaks_off_is_an_error_of_curl(foreign_site: Site) -> None:
    """A result over its size: curl 18 (partial file) or another failure of the transfer, never a tidy end."""
    text = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }"
    line = [str(CURL), "-sS", "--noproxy", "*", "--data-urlencode", f"query={text}", f"{foreign_site.url}sparql"]
    done = subprocess.run(line, capture_output=True, timeout=60, check=False)
    assert done.returncode != 0
    assert len(done.stdout) <= 4 << 20


def test_an_iri_is_followed_to_turtle(own_site: Site) -> None:
    said = curl(own_site.url.rstrip("/") + own_site.path(PERSON), "-L")
    assert (200, "text/turtle") == (said.status, said.kind)
    assert "\nperson:pavel-s-zolotarev a " in said.body
