"""The W3C SPARQL 1.1 test suite through our own endpoint, over HTTP, from its manifests.

Each test's data becomes a release of its own, opened by the real application behind the real server. What differs from
the suite stands in `EXCEPTIONS` with its reason, and is held to differ still.
"""

import asyncio
import csv
import io
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from conftest import free_port
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from rdflib.collection import Collection
from rdflib.compare import isomorphic

from tracktwo import __version__
from tracktwo import publication as publications
from tracktwo.release import index
from tracktwo.release.build import LAYOUT_FILE, MANIFEST, QUESTIONS
from tracktwo.release.history import LAYOUT, Releases, now
from tracktwo.release.layout import as_json
from tracktwo.release.statistics import statistics
from tracktwo.terms import in_graph
from tracktwo.web.app import create_app
from tracktwo.web.server import Bridge, Receive, Scope, Send
from tracktwo.web.site import Options

SUITE = Path(__file__).resolve().parents[2] / "shared" / "standards" / "rdf-tests" / "sparql" / "sparql11"
BASE = "https://w3c.github.io/rdf-tests/sparql/sparql11/"
THREADS = 3

MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT = rdflib.Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
RS = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
HT = rdflib.Namespace("http://www.w3.org/2011/http#")
CNT = rdflib.Namespace("http://www.w3.org/2011/content#")
SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
XSD = str(rdflib.XSD)

if not SUITE.is_dir():
    pytest.skip(f"the W3C test suite is not beside the project, at {SUITE}", allow_module_level=True)

#: Manifests of the suite that are not run, each with its reason; all others that `manifest-all.ttl` includes are.
_UPDATES = "updates never: a release is immutable"
LEFT_OUT = {
    **dict.fromkeys(
        (
            "add",
            "basic-update",
            "clear",
            "copy",
            "delete",
            "delete-data",
            "delete-insert",
            "delete-where",
            "drop",
            "move",
        ),
        _UPDATES,
    ),
    **dict.fromkeys(("syntax-update-1", "syntax-update-2", "update-silent"), _UPDATES),
    "graph-store-protocol": _UPDATES,
    "entailment": "simple entailment only: what follows from the data is written into the release when it is built",
}

#: Tests whose outcome differs from the suite's, and what the engine does.
_ABSENT = "a zero-length path from or to a term that the data lacks gives no solution"
_LANGUAGE = "GROUP_CONCAT of strings in one language keeps the language, so its value is no plain string"
EXCEPTIONS: dict[str, str] = {
    "aggregates/agg-groupconcat-04": _LANGUAGE,
    "aggregates/agg-groupconcat-06": _LANGUAGE,
    "aggregates/agg-empty-group-count-graph": "an aggregate within GRAPH ?g is made once, over all graphs",
    "bindings/graph": "VALUES within GRAPH ?g is evaluated once, not for each graph",
    "negation/graph-minus": "MINUS within GRAPH ?g takes ?g for a variable that both sides share",
    "csv-tsv-res/tsv03": "integers are stored as xsd:integer, also those of a type derived from it",
    "functions/bnode01": "BNODE(string) gives the same node in all solutions",
    "property-path/zero_or_more_set_start": _ABSENT,
    "property-path/zero_or_more_set_end": _ABSENT,
    "property-path/zero_or_one_set_start": _ABSENT,
    "property-path/zero_or_one_set_end": _ABSENT,
    "syntax-query/test_4": "a function that the engine does not have is an error, although the syntax is right",
}

EVALUATION, CSV_TEST = "QueryEvaluationTest", "CSVResultFormatTest"
POSITIVE, NEGATIVE = "PositiveSyntaxTest11", "NegativeSyntaxTest11"
PROTOCOL, DESCRIPTION = "ProtocolTest", "ServiceDescriptionTest"

#: How many tests of each kind each manifest has, exceptions included.
COUNTS: dict[str, dict[str, int]] = {
    "aggregates": {EVALUATION: 42, NEGATIVE: 5},
    "bind": {EVALUATION: 10},
    "bindings": {EVALUATION: 11},
    "cast": {EVALUATION: 6},
    "construct": {EVALUATION: 5, NEGATIVE: 2},
    "csv-tsv-res": {EVALUATION: 3, CSV_TEST: 3},
    "exists": {EVALUATION: 6},
    "functions": {EVALUATION: 75},
    "grouping": {EVALUATION: 4, NEGATIVE: 2},
    "json-res": {EVALUATION: 4},
    "negation": {EVALUATION: 12},
    "project-expression": {EVALUATION: 7},
    "property-path": {EVALUATION: 33},
    "protocol": {PROTOCOL: 34},
    "service": {EVALUATION: 7},
    "service-description": {DESCRIPTION: 3},
    "subquery": {EVALUATION: 14},
    "syntax-fed": {POSITIVE: 3},
    "syntax-query": {POSITIVE: 63, NEGATIVE: 31},
}

#: Tests that pass by being refused: queries that ask other endpoints, and updates.
FEDERATED, UPDATES = 10, 7

JSON, XML = "application/sparql-results+json", "application/sparql-results+xml"
TSV, CSV = "text/tab-separated-values", "text/csv"
TURTLE, N_TRIPLES = "text/turtle", "application/n-triples"
FORM, DIRECT = "application/x-www-form-urlencoded", "application/sparql-query"

_FEDERATED = re.compile(r"\bSERVICE\b", re.IGNORECASE)

RDF_FORMATS = {".ttl": ox.RdfFormat.TURTLE, ".rdf": ox.RdfFormat.RDF_XML, ".nt": ox.RdfFormat.N_TRIPLES}
#: A term: its kind, then its value; a literal also has datatype and language.
Term = tuple[Any, ...]
Row = dict[str, Term]
Rows = list[Row]
#: The named graphs of a release by IRI, and the files of its default graph.
Data = tuple[tuple[Path, ...], tuple[tuple[str, Path], ...]]


@dataclass(frozen=True)
class Case:
    """One test of a manifest; `node` holds in `graph` what the manifest says of it."""

    manifest: str
    name: str
    kind: str
    data: Data
    graph: rdflib.Graph = field(compare=False, repr=False)
    node: rdflib.term.Node = field(compare=False, repr=False)

    @property
    def id(self) -> str:
        return f"{self.manifest}/{self.name}"

    @property
    def action(self) -> rdflib.term.Node:
        found = self.graph.value(self.node, MF.action)
        assert found is not None
        return found

    def file(self, *path: rdflib.URIRef) -> Path:
        """The file at the end of a path of properties from the test."""
        node: rdflib.term.Node | None = self.node
        for property_ in path:
            node = self.graph.value(node, property_)
        return local(node)

    @property
    def query(self) -> str:
        path = (MF.action, QT.query) if self.kind in (EVALUATION, CSV_TEST) else (MF.action,)
        return self.file(*path).read_bytes().decode("utf-8")


def local(node: object) -> Path:
    """The file that an IRI of the suite names."""
    assert str(node).startswith(BASE), node
    return SUITE / str(node).removeprefix(BASE)


def included() -> list[str]:
    """The names of all manifests of the suite."""
    graph = rdflib.Graph().parse(SUITE / "manifest-all.ttl", publicID=BASE + "manifest-all.ttl")
    found = {
        str(iri).removeprefix(BASE).removesuffix("/manifest.ttl")
        for list_ in [*graph.objects(None, MF.include), *graph.objects(None, MF.conformanceRequirement)]
        for iri in Collection(graph, list_)
    }
    return sorted(found)


def cases() -> list[Case]:
    """All tests of the manifests that are run, in their order."""
    return [case for name in included() if name not in LEFT_OUT for case in _cases(name)]


def _cases(name: str) -> Iterator[Case]:
    graph = rdflib.Graph().parse(SUITE / name / "manifest.ttl", publicID=f"{BASE}{name}/manifest.ttl")
    for head in graph.objects(None, MF.entries):
        for node in Collection(graph, head):
            (kind,) = graph.objects(node, rdflib.RDF.type)
            yield Case(
                name, str(node).rpartition("#")[2], str(kind).rpartition("#")[2], _data(graph, node), graph, node
            )


def _data(graph: rdflib.Graph, node: rdflib.term.Node) -> Data:
    action = graph.value(node, MF.action)
    default = {local(file) for file in graph.objects(action, QT.data)}
    named = {(str(file), local(file)) for file in graph.objects(action, QT.graphData)}
    for labelled in graph.objects(node, UT.graphData):
        named.add((str(graph.value(labelled, rdflib.RDFS.label)), local(graph.value(labelled, UT.graph))))
    return tuple(sorted(default)), tuple(sorted(named))


CASES = cases()


# A release of a test's data, and the server


def write_release(root: Path, base_iri: str, data: Data) -> None:
    """A release with just this dataset: unlike in those that `build` makes, the default graph is no merge."""
    settings = root / "publication.toml"
    root.mkdir()
    settings.write_text(
        f'base_iri = "{base_iri}"\ntitle = {{ en = "Test data" }}\n'
        "[limits]\nquery_workers = 1\nquery_queue_seconds = 30\nquery_memory_mb = 256\n",
        encoding="utf-8",
    )
    default = [quad.triple for file in data[0] for quad in parsed(file)]
    named = [
        ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(iri))
        for iri, file in data[1]
        for quad in parsed(file)
    ]
    releases = Releases(root / "releases")
    with releases.building() as folder:
        store = ox.Store(str(folder / "store"))
        store.bulk_extend([*(in_graph(triple) for triple in default), *named])
        store.flush()
        del store
        publication = publications.load(root)
        index.write(folder / "catalog.sqlite", publication, default, set())
        (folder / LAYOUT_FILE).write_text(as_json({}, {}), encoding="utf-8")
        (folder / QUESTIONS).write_text("[]", encoding="utf-8")
        (folder / settings.name).write_bytes(settings.read_bytes())
        manifest = {
            "id": "test",
            "sha256": "",
            "created": now().isoformat(),
            "build": "test",
            "built": now().isoformat(),
            "input": "",
            "layout": LAYOUT,
            "version": __version__,
            "statistics": statistics(named) | {"triples": len(default)},
            "dumps": [],
            "files": [],
            "validation": {"summary": "", "violations": 0, "warnings": 0},
        }
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        releases.publish(folder, "test")


def parsed(file: Path) -> Iterator[ox.Quad]:
    """The statements of one of the suite's files, blank nodes apart from those of other files."""
    base = BASE + file.relative_to(SUITE).as_posix()
    return iter(ox.parse(file.read_bytes(), RDF_FORMATS[file.suffix], base_iri=base, rename_blank_nodes=True))


class Endpoint:
    """Our server in a thread: many sites behind one port, the first segment of the path saying which."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._bridges: dict[str, Bridge] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="endpoint")
        self._thread.start()

    @contextmanager
    def site(self, name: str, base_iri: str, data: Data) -> Iterator[str]:
        """The URL of an endpoint that answers about this data while the block runs."""
        url = f"http://127.0.0.1:{self._port}/{name}/"
        write_release(self._folder / name, base_iri, data)
        app = create_app(Options(self._folder / name / "releases", url))
        self._bridges[name] = Bridge(app)
        try:
            yield url + "sparql"
        finally:
            del self._bridges[name]
            app.extensions["follower"].close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(20)
        assert not self._thread.is_alive()
        assert self._bridges == {}

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = Server(
            self._app,
            port=self._port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
        )
        self._loop.run_until_complete(self._server.serve())
        self._loop.close()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._bridges[scope["path"].split("/")[1]](scope, receive, send)


# Terms and rows, read without the engine under test


def literal(value: str, datatype: str | None = None, language: str | None = None) -> Term:
    """A literal; numbers and truth by their value, since the engine writes each in one form (`01` as `1`)."""
    if language:
        return ("literal", value, "", language.lower())
    kind = datatype or f"{XSD}string"
    if kind in (f"{XSD}double", f"{XSD}float"):
        return ("literal", repr(float(value)), kind)
    if kind in (f"{XSD}integer", f"{XSD}decimal"):
        return ("literal", Decimal(value), kind)
    if kind == f"{XSD}boolean":
        return ("literal", {"1": "true", "0": "false"}.get(value, value), kind)
    return ("literal", value, kind)


def read_json(content: bytes) -> tuple[list[str], Rows] | bool:
    document = json.loads(content)
    if "boolean" in document:
        return bool(document["boolean"])
    rows = [{name: _of_json(term) for name, term in binding.items()} for binding in document["results"]["bindings"]]
    return document["head"].get("vars", []), rows


def _of_json(term: Mapping[str, str]) -> Term:
    if term["type"] in ("uri", "bnode"):
        return (term["type"], term["value"])
    return literal(term["value"], term.get("datatype"), term.get("xml:lang"))


def read_xml(content: bytes) -> tuple[list[str], Rows] | bool:
    root = ElementTree.fromstring(content)
    name = "{http://www.w3.org/2005/sparql-results#}"
    if (boolean := root.find(f"{name}boolean")) is not None:
        return (boolean.text or "").strip() == "true"
    rows = [
        {binding.attrib["name"]: _of_xml(binding[0]) for binding in result.iter(f"{name}binding")}
        for result in root.iter(f"{name}result")
    ]
    return [variable.attrib["name"] for variable in root.iter(f"{name}variable")], rows


def _of_xml(element: ElementTree.Element) -> Term:
    kind, text = element.tag.rpartition("}")[2], element.text or ""
    if kind in ("uri", "bnode"):
        return (kind, text.strip())
    return literal(text, element.get("datatype"), element.get("{http://www.w3.org/XML/1998/namespace}lang"))


_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_TSV_LITERAL = re.compile(r"""(["'])(.*)\1(?:@([\w-]+)|\^\^<(.*)>)?""", re.DOTALL)


def read_tsv(content: bytes) -> tuple[list[str], Rows] | bool:
    head, *lines = content.decode("utf-8").removesuffix("\n").split("\n")
    names = [name.strip().lstrip("?") for name in head.split("\t")] if head.strip() else []
    cells = [line.rstrip("\r").split("\t") for line in lines]
    return names, [{name: _of_tsv(text) for name, text in zip(names, line, strict=False) if text} for line in cells]


def _of_tsv(text: str) -> Term:
    if text.startswith("<"):
        return ("uri", _unescaped(text[1:-1]))
    if text.startswith("_:"):
        return ("bnode", text[2:])
    if found := _TSV_LITERAL.fullmatch(text):
        return literal(_unescaped(found[2]), found[4], found[3])
    kinds = {
        "boolean": r"true|false",
        "integer": r"[+-]?\d+",
        "decimal": r"[+-]?\d*\.\d+",
        "double": r"[+-]?[\d.]+[eE][+-]?\d+",
    }
    (kind,) = (kind for kind, pattern in kinds.items() if re.fullmatch(pattern, text))
    return literal(text, XSD + kind)


def _unescaped(text: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        return chr(int(found[1] or found[2], 16)) if found[1] or found[2] else _ESCAPES[found[3]]

    return re.sub(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", replaced, text)


def read_csv(content: bytes) -> tuple[list[str], Rows] | bool:
    """Strings only: the format keeps nothing else (SPARQL 1.1 CSV section 3); a plain number by its value."""
    names, *lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    return names, [{name: _of_csv(text) for name, text in zip(names, line, strict=False) if text} for line in lines]


def _of_csv(text: str) -> Term:
    if text.startswith("_:"):
        return ("bnode", text[2:])
    number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text)
    return ("text", Decimal(text) if number else text)


def as_csv(row: Row) -> Row:
    """What CSV keeps of a row."""
    return {
        name: term if term[0] == "bnode" else _of_csv(str(term[1]) if not _is_float(term) else repr(float(term[1])))
        for name, term in row.items()
        if term[1] != ""
    }


def _is_float(term: Term) -> bool:
    return term[0] == "literal" and term[2] in (f"{XSD}double", f"{XSD}float")


READERS: dict[str, Callable[[bytes], tuple[list[str], Rows] | bool]] = {
    JSON: read_json,
    XML: read_xml,
    TSV: read_tsv,
    CSV: read_csv,
}
SUFFIXES = {".srj": JSON, ".srx": XML, ".tsv": TSV, ".csv": CSV}


def of_result_set(graph: rdflib.Graph) -> tuple[list[str], Rows] | bool | None:
    """Rows or truth value that a graph describes in the vocabulary of result sets; None where it is just a graph."""
    found = graph.value(None, rdflib.RDF.type, RS.ResultSet)
    if found is None:
        return None
    if (boolean := graph.value(found, RS.boolean)) is not None:
        return str(boolean) == "true"
    rows = [
        {
            str(graph.value(binding, RS.variable)): _of_rdflib(graph.value(binding, RS.value))
            for binding in graph.objects(solution, RS.binding)
        }
        for solution in graph.objects(found, RS.solution)
    ]
    return [str(name) for name in graph.objects(found, RS.resultVariable)], rows


def _of_rdflib(term: object) -> Term:
    if isinstance(term, rdflib.Literal):
        return literal(str(term), str(term.datatype) if term.datatype else None, term.language)
    return ("bnode" if isinstance(term, rdflib.BNode) else "uri", str(term))


def same(wanted: Rows, found: Rows, *, ordered: bool) -> bool:
    """Are the rows the same, as a list or as a bag, but for the names of blank nodes?"""
    if ordered:
        return len(wanted) == len(found) and _match(list(zip(wanted, ([row] for row in found), strict=True)), {})
    plain = [Counter(frozenset(row.items()) for row in rows if not _has_blank(row)) for rows in (wanted, found)]
    blank = [[row for row in rows if _has_blank(row)] for rows in (wanted, found)]
    return plain[0] == plain[1] and len(blank[0]) == len(blank[1]) and _match([(row, blank[1]) for row in blank[0]], {})


def _has_blank(row: Row) -> bool:
    return any(term[0] == "bnode" for term in row.values())


def _match(
    pairs: Sequence[tuple[Row, Sequence[Row]]], names: Mapping[str, str], used: frozenset[int] = frozenset()
) -> bool:
    """Can each row be given one of its candidates, none twice, under one renaming of blank nodes?"""
    if not pairs:
        return True
    (row, candidates), *rest = pairs
    for candidate in candidates:
        renamed = None if id(candidate) in used else _renamed(row, candidate, names)
        if renamed is not None and _match(rest, renamed, used | {id(candidate)}):
            return True
    return False


def _renamed(row: Row, other: Row, names: Mapping[str, str]) -> dict[str, str] | None:
    """`names` with what makes the two rows equal, None where nothing does."""
    if row.keys() != other.keys():
        return None
    found = dict(names)
    for name, term in row.items():
        counterpart = other[name]
        if term[0] != "bnode" or counterpart[0] != "bnode":
            if term != counterpart:
                return None
        elif found.setdefault(term[1], counterpart[1]) != counterpart[1]:
            return None
    return found if len(set(found.values())) == len(found) else None


# Running the tests


class DifferentError(AssertionError):
    """The endpoint's answer is not what the suite wants."""


def hold(condition: object, message: str) -> None:
    if not condition:
        raise DifferentError(message)


def ask(client: httpx.Client, url: str, text: str, accept: str, way: int) -> httpx.Response:
    """The query by one of the three operations of the protocol (section 2.1)."""
    if way % 3 == 0:
        return client.get(url, params={"query": text}, headers={"Accept": accept})
    if way % 3 == 1:
        return client.post(url, data={"query": text}, headers={"Accept": accept})
    return client.post(url, content=text.encode(), headers={"Accept": accept, "Content-Type": DIRECT})


def answered(client: httpx.Client, url: str, text: str, accept: str, way: int) -> bytes:
    response = ask(client, url, text, accept, way)
    hold(response.status_code == 200, f"{response.status_code} {response.text[:300]}")
    hold(response.headers["content-type"].partition(";")[0] == accept, response.headers["content-type"])
    return response.content


def run_evaluation(case: Case, client: httpx.Client, url: str) -> None:
    if _FEDERATED.search(case.query):
        refused(ask(client, url, case.query, JSON, 0))
        return
    result = case.file(MF.result)
    if result.suffix in SUFFIXES:
        wanted = READERS[SUFFIXES[result.suffix]](result.read_bytes())
    else:
        graph = rdflib.Graph().parse(result, publicID=BASE + result.relative_to(SUITE).as_posix())
        described = of_result_set(graph)
        if described is None:
            compare_graphs(case, client, url, graph)
            return
        wanted = described
    if isinstance(wanted, bool):
        for way, accept in enumerate((JSON, XML)):
            hold(READERS[accept](answered(client, url, case.query, accept, way)) is wanted, f"{accept}: not {wanted}")
    else:
        compare_rows(case, client, url, result.suffix, wanted)


def compare_rows(case: Case, client: httpx.Client, url: str, suffix: str, wanted: tuple[list[str], Rows]) -> None:
    ordered = bool(re.search(r"\bORDER\s+BY\b", case.query.rpartition("}")[2], re.IGNORECASE))
    for way, accept in enumerate((JSON, XML, TSV, CSV)):
        found = READERS[accept](answered(client, url, case.query, accept, way))
        hold(not isinstance(found, bool), f"{accept}: no rows")
        assert not isinstance(found, bool)
        names, rows = wanted
        hold(sorted(names) == sorted(found[0]) or suffix in RDF_FORMATS, f"{accept}: {found[0]}, wanted {names}")
        if CSV in (accept, SUFFIXES.get(suffix)):
            rows = [as_csv(row) for row in rows] if suffix != ".csv" else rows
            found = (found[0], found[1] if accept == CSV else [as_csv(row) for row in found[1]])
        hold(same(rows, found[1], ordered=ordered), f"{accept}: {found[1]}, wanted {rows}")


def compare_graphs(case: Case, client: httpx.Client, url: str, wanted: rdflib.Graph) -> None:
    for way, (accept, format_) in enumerate(((TURTLE, "turtle"), (N_TRIPLES, "nt"))):
        found = rdflib.Graph().parse(answered(client, url, case.query, accept, way), format=format_)
        hold(isomorphic(wanted, found), f"{accept}: {found.serialize(format='nt')}")


def run_positive(case: Case, client: httpx.Client, url: str) -> None:
    response = ask(client, url, case.query, f"{JSON}, {TURTLE}", len(case.name))
    if _FEDERATED.search(case.query):
        refused(response)
    else:
        hold(response.status_code == 200, f"{response.status_code} {response.text[:300]}")


def run_negative(case: Case, client: httpx.Client, url: str) -> None:
    response = ask(client, url, case.query, f"{JSON}, {TURTLE}", len(case.name))
    hold(response.status_code == 400, f"{response.status_code} {response.text[:300]}")
    problem = "json" in response.headers["content-type"]
    told = response.json()["detail"] if problem else response.text.strip().partition("\n")[2]
    hold(told, f"no reason given: {response.text}")


def refused(response: httpx.Response) -> None:
    """Queries that would have the server open a connection, and updates, are forbidden, with the reason."""
    hold(response.status_code == 403, f"{response.status_code} {response.text[:300]}")
    hold("SERVICE" in response.text or "updates" in response.text, response.text)


def run_protocol(case: Case, client: httpx.Client, url: str) -> None:
    graph = case.graph
    (head,) = graph.objects(case.action, HT.requests)
    requests = Collection(graph, head)
    hold(len(requests) > 0, "no request")
    for number, request in enumerate(requests):
        response = send(client, url, graph, request)
        wanted = graph.value(request, HT.resp)
        if number == 0 and case.name.startswith("update_"):
            refused(response)  # and so what the requests after it would find never came to be
            return
        classes = {str(status)[-3] for status in graph.objects(wanted, MF.expectedStatus)}
        hold(classes, "no status wanted")
        hold(str(response.status_code)[0] in classes, f"{response.status_code} {response.text[:300]}")
        if (truth := graph.value(wanted, MF.expectedBoolean)) is not None:
            hold(read_json(response.content) is (str(truth) == "true"), response.text)
        kind = response.headers["content-type"].partition(";")[0]
        kinds = {"boolean": [JSON, XML], "tabular": list(READERS), "RDF": [TURTLE, N_TRIPLES]}
        if (format_ := graph.value(wanted, MF.expectedFormat)) is not None:
            hold(kind in kinds[str(format_)], kind)


def send(client: httpx.Client, url: str, graph: rdflib.Graph, request: rdflib.term.Node) -> httpx.Response:
    """One request of the protocol's manifest as it describes it."""
    path, query = str(graph.value(request, HT.absolutePath)).partition("?")[::2]
    hold(path == "/sparql/", path)
    headers = {}
    for list_ in graph.objects(request, HT.headers):
        for header in Collection(graph, list_):
            headers[str(graph.value(header, HT.fieldName))] = str(graph.value(header, HT.fieldValue))
    body = graph.value(request, HT.body)
    content = None
    if body is not None:
        content = str(graph.value(body, CNT.chars)).encode(str(graph.value(body, CNT.characterEncoding)))
    method = str(graph.value(request, HT.methodName))
    return client.request(method, f"{url}?{query}" if query else url, headers=headers, content=content)


def run_description(case: Case, client: httpx.Client, url: str) -> None:
    """What SPARQL 1.1 Service Description sections 2 and 3 ask of a GET without a query."""
    response = client.get(url, headers={"Accept": TURTLE})
    hold(response.status_code == 200, response.text)
    graph = rdflib.Graph().parse(response.content, format="turtle")
    hold(len(graph), "an empty graph")
    services = list(graph.subjects(SD.endpoint, rdflib.URIRef(url)))
    if case.name == "has-endpoint-triple":
        hold(services, "no sd:endpoint with this endpoint's URL")
    elif case.name == "conforms-to-schema":
        used = {str(term) for triple in graph for term in triple if str(term).startswith(str(SD))}
        hold(used <= {str(SD[name]) for name in SERVICE_DESCRIPTION_TERMS}, f"unknown terms: {used}")
        for service in services:
            hold((service, rdflib.RDF.type, SD.Service) in graph, "no sd:Service")
            hold(list(graph.objects(service, SD.supportedLanguage)) == [SD.SPARQL11Query], "another language")
        for named in graph.objects(None, SD.namedGraph):
            hold(graph.value(named, SD.name) and graph.value(named, SD.graph), "a named graph without name or graph")
    else:
        hold(case.name == "returns-rdf", f"unknown test {case.name}")


SERVICE_DESCRIPTION_TERMS = set(
    """
    Service Feature Language Function Aggregate EntailmentRegime EntailmentProfile GraphCollection Dataset Graph
    NamedGraph SPARQL10Query SPARQL11Query SPARQL11Update DereferencesURIs UnionDefaultGraph RequiresDataset
    EmptyGraphs BasicFederatedQuery endpoint feature defaultEntailmentRegime entailmentRegime extensionFunction
    extensionAggregate languageExtension supportedLanguage propertyFeature defaultDataset availableGraphs
    resultFormat inputFormat defaultGraph namedGraph name graph supportedEntailmentProfile
    defaultSupportedEntailmentProfile
    """.split()  # noqa: SIM905  # easier to read than forty quoted names
)

RUNNERS: dict[str, Callable[[Case, httpx.Client, str], None]] = {
    EVALUATION: run_evaluation,
    CSV_TEST: run_evaluation,
    POSITIVE: run_positive,
    NEGATIVE: run_negative,
    PROTOCOL: run_protocol,
    DESCRIPTION: run_description,
}


def run_all(endpoint: Endpoint, wanted: Iterable[Case]) -> dict[str, str]:
    """What differed in each test, nothing where it passed. Tests of the same data share a release."""
    by_data: dict[tuple[str, Data], list[Case]] = defaultdict(list)
    for case in wanted:
        by_data[case.manifest, case.data].append(case)
    outcomes: dict[str, str] = {}

    def run(number: int, manifest: str, data: Data, group: Sequence[Case]) -> None:
        with (
            endpoint.site(f"site{number}", f"{BASE}{manifest}/", data) as url,
            httpx.Client(timeout=60, trust_env=False) as client,
        ):
            for case in group:
                try:
                    RUNNERS[case.kind](case, client, url)
                    outcomes[case.id] = ""
                except DifferentError as error:
                    outcomes[case.id] = str(error)

    with ThreadPoolExecutor(THREADS) as threads:
        jobs = [threads.submit(run, number, *key, group) for number, (key, group) in enumerate(by_data.items())]
        for job in jobs:
            job.result()
    return outcomes


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    endpoint = Endpoint(tmp_path_factory.mktemp("w3c"))
    try:
        return run_all(endpoint, CASES)
    finally:
        endpoint.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_w3c(case: Case, outcomes: dict[str, str]) -> None:
    if case.id in EXCEPTIONS:
        assert outcomes[case.id], "passes: no exception is needed any more"
    else:
        assert outcomes[case.id] == ""


def test_every_manifest_is_run_or_left_out_with_a_reason() -> None:
    run = {case.manifest for case in CASES}
    assert sorted({*run, *LEFT_OUT}) == included()
    assert run & set(LEFT_OUT) == set()


def test_the_kinds_of_tests_are_known_and_counted() -> None:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for case in CASES:
        counted[case.manifest][case.kind] += 1
    assert {name: dict(kinds) for name, kinds in counted.items()} == COUNTS
    assert {kind for kinds in counted.values() for kind in kinds} == set(RUNNERS)
    assert len({case.id for case in CASES}) == len(CASES)


def test_what_is_refused_is_counted() -> None:
    queries = [case.query for case in CASES if case.kind not in (PROTOCOL, DESCRIPTION)]
    assert sum(bool(_FEDERATED.search(query)) for query in queries) == FEDERATED
    assert sum(case.kind == PROTOCOL and case.name.startswith("update_") for case in CASES) == UPDATES


def test_exceptions_are_of_tests_that_there_are() -> None:
    assert set(EXCEPTIONS) <= {case.id for case in CASES}
