"""Comunica as an outside client: the endpoint as it finds and asks it, and documents as files of triples.

Needs Node 18 or later with npm; the package comes into `tests/comunica/node_modules` when these tests first run.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import serving
from serving import Site

own_site, foreign_site = serving.own_site, serving.foreign_site

FOLDER = Path(__file__).resolve().parent / "comunica"
NODE, NPM = shutil.which("node"), shutil.which("npm")
PERSON = "https://w3id.org/tracktwo/id/person/pavel-s-zolotarev"
CLASSES = "SELECT ?class (COUNT(*) AS ?members) WHERE { ?x a ?class } GROUP BY ?class"
NAMES = f"SELECT ?name WHERE {{ <{PERSON}> <http://www.w3.org/2000/01/rdf-schema#label> ?name }}"

if NODE is None or NPM is None:
    if os.environ.get("CI"):
        raise RuntimeError("node and npm are needed here: apt-get install nodejs npm")
    pytest.skip("node or npm is not installed", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Comunica of the versions in the lock file."""
    lock, there = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if there.exists() and there.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = subprocess.run([str(NPM), "ci"], cwd=FOLDER, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def comunica(query: str, *sources: dict[str, str] | str) -> dict[str, Any]:
    """What Comunica answers: `rows`, `truth` or `quads`."""
    asked = json.dumps({"query": query, "sources": sources})
    done = subprocess.run(
        [str(NODE), "ask.mjs"], cwd=FOLDER, input=asked, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sparql(site: Site) -> dict[str, str]:
    return {"type": "sparql", "value": f"{site.url}sparql"}


def rows(site: Site, query: str) -> list[dict[str, Any]]:
    """The endpoint's own rows, every plain literal with its datatype as Comunica has it."""
    found: list[dict[str, Any]] = site.query(query, "application/sparql-results+json").json()["results"]["bindings"]
    for row in found:
        for term in row.values():
            if term["type"] == "literal" and "xml:lang" not in term:
                term.setdefault("datatype", "http://www.w3.org/2001/XMLSchema#string")
    return found


def in_order(found: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in found)


@pytest.mark.parametrize("query", [CLASSES, NAMES], ids=["classes", "names"])
def test_select_gives_the_endpoints_rows(own_site: Site, query: str) -> None:
    expected = rows(own_site, query)
    assert len(expected) >= 2
    assert in_order(expected) == in_order(comunica(query, sparql(own_site))["rows"])


def test_the_endpoint_is_found_by_its_description(own_site: Site) -> None:
    """Without a type Comunica dereferences the URL, and knows an endpoint by its service description."""
    assert in_order(rows(own_site, NAMES)) == in_order(comunica(NAMES, f"{own_site.url}sparql")["rows"])


def test_ask_gives_a_truth_value(own_site: Site) -> None:
    assert {"truth": True} == comunica(f"ASK {{ <{PERSON}> ?p ?o }}", sparql(own_site))
    assert {"truth": False} == comunica("ASK { <urn:nobody> ?p ?o }", sparql(own_site))


def test_construct_gives_triples(own_site: Site) -> None:
    found = comunica(f"CONSTRUCT WHERE {{ <{PERSON}> ?p ?o }}", sparql(own_site))["quads"]
    expected = int(rows(own_site, f"SELECT (COUNT(*) AS ?n) {{ <{PERSON}> ?p ?o }}")[0]["n"]["value"])
    assert expected == len(found) > 10
    assert {PERSON} == {subject["value"] for subject, _, _ in found}


@pytest.mark.parametrize("suffix", ["ttl", "trig", "jsonld", "nt"])
def test_a_document_in_one_format_is_a_source(own_site: Site, suffix: str) -> None:
    document = f"{own_site.url}doc/person/pavel-s-zolotarev.{suffix}"
    assert in_order(rows(own_site, NAMES)) == in_order(comunica(NAMES, document)["rows"])


def test_an_iri_leads_to_its_data(own_site: Site) -> None:
    """Comunica's own Accept header, through the 303 from the thing to its document."""
    found = comunica(NAMES, own_site.url.rstrip("/") + own_site.path(PERSON))
    assert in_order(rows(own_site, NAMES)) == in_order(found["rows"])


def test_two_endpoints_and_a_document_are_joined(own_site: Site, foreign_site: Site) -> None:
    """One query over the sources of two publications: each class says at which site it has members."""
    query = "SELECT DISTINCT ?class WHERE { ?x a ?class }"
    both = comunica(query, sparql(own_site), sparql(foreign_site))["rows"]
    assert set(in_order(rows(own_site, query) + rows(foreign_site, query))) == set(in_order(both))


def test_a_fault_is_an_error_and_no_empty_answer(own_site: Site) -> None:
    with pytest.raises(AssertionError, match="403"):
        comunica("SELECT * WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", sparql(own_site))


def test_the_lock_file_names_versions_and_no_host() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert len(packages) > 400
    assert [name for name, about in packages.items() if "resolved" in about] == []
    assert [name for name, about in packages.items() if not about.get("integrity")] == []
