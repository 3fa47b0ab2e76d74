"""The remote store: any SPARQL 1.1 endpoint, spoken to with SPARQLWrapper.

The endpoint holds the release's named graphs and their merge as one more graph. Blank nodes are there as IRIs below
the skolem prefix (RDF 1.1 Concepts section 3.5), since SPARQL can't ask for a blank node again; they are blank nodes
again when they come back from our own look-ups.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException
from importlib.resources import files
from io import BufferedReader
from typing import Any
from urllib.error import HTTPError, URLError

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    Triple,
    parse_query_results,
)
from SPARQLWrapper import POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import (
    EndPointInternalError,
    EndPointNotFound,
    QueryBadFormed,
    SPARQLWrapperException,
)

from tracktwo import querytext
from tracktwo.errors import NotAcceptable, QueryError, QueryTimeout, QueryTooBig, StoreUnavailable
from tracktwo.formats import CSV, JSON, N_TRIPLES, RDF_FORMATS, RESULT_FORMATS, Format
from tracktwo.store import BINDINGS, BOOLEAN, GRAPH, Answer, Query
from tracktwo.store.process import Dialect, PoolLimits, gone_away, past_deadline
from tracktwo.store.rows import ChunkFile, RowCount, TooManyRows, as_csv, readable
from tracktwo.terms import Node, Term, skolem

_CHUNK_BYTES = 1 << 15
_MB = 1 << 20
_SUBJECTS_AT_ONCE = 200

#: Kinds of answers by SPARQLWrapper's name of the query form.
_KINDS = {"SELECT": BINDINGS, "ASK": BOOLEAN, "CONSTRUCT": GRAPH, "DESCRIBE": GRAPH}

#: N-Triples are also Turtle, TriG and N-Quads, so an endpoint that lacks those can still serve them.
_ASKED_AS = {"ttl": N_TRIPLES, "trig": N_TRIPLES, "nq": N_TRIPLES}


class RemoteStore:
    """A SPARQL 1.1 endpoint that holds the release.

    `graphs` are the release's named graphs, `merged` the graph that holds their merge, `skolem_prefix` begins the IRIs
    that stand for blank nodes.
    """

    functions: Sequence[str] = ()  # what the engine has beyond the standard is not known

    def __init__(
        self, url: str, graphs: Sequence[str], merged: str, skolem_prefix: str, dialect: Dialect, limits: PoolLimits
    ) -> None:
        self._url = url
        self._graphs = tuple(graphs)
        self._merged = merged
        self._skolem_prefix = skolem_prefix
        self._dialect = dialect
        self._limits = limits

    def describe(self, subjects: Sequence[Node]) -> list[Quad]:
        """All statements about the subjects, in the release's named graphs."""
        quads: list[Quad] = []
        for start in range(0, len(subjects), _SUBJECTS_AT_ONCE):
            values = " ".join(
                str(skolem(subject, self._skolem_prefix)) for subject in subjects[start : start + _SUBJECTS_AT_ONCE]
            )
            for row in self._look_up("describe", f"VALUES ?subject {{ {values} }}"):
                quads.append(Quad(row["subject"], row["predicate"], row["object"], row["graph"]))
        return quads

    def match(self, subject: Node | None, predicate: NamedNode | None, object_: Term | None) -> list[Quad]:
        """Some of the statements with these terms, in the release's named graphs."""
        given = {"subject": subject, "predicate": predicate, "object": object_}
        bound = {name: str(skolem(term, self._skolem_prefix)) for name, term in given.items() if term is not None}
        names = " ".join(f"?{name}" for name in bound)
        values = f"VALUES ({names}) {{ ({' '.join(bound.values())}) }}"
        return [
            Quad(row["subject"], row["predicate"], row["object"], row["graph"])
            for row in self._look_up("match", values, self._graphs)
        ]

    def graph(self, iri: str) -> Iterator[Triple]:
        """The triples of one named graph."""
        for row in self._look_up("graph", f"VALUES ?graph {{ {NamedNode(iri)} }}"):
            yield Triple(row["subject"], row["predicate"], row["object"])

    def size(self) -> int:
        """Triples in the merged graph."""
        rows = self._look_up("size", f"VALUES ?graph {{ {NamedNode(self._merged)} }}")
        return sum(int(row["size"].value) for row in rows)

    def answer(self, query: Query) -> Answer:
        """Run a client's query at the endpoint, under our deadline and size limit."""
        kind = _KINDS.get(next(iter(querytext.words(query.text)), ""))
        if kind is None:
            raise QueryError("not a SELECT, ASK, CONSTRUCT or DESCRIBE query")
        format_ = query.graph if kind == GRAPH else query.results
        if format_ is None:
            raise NotAcceptable(
                "None of the formats that the request accepts can hold this query's answer.",
                [row.media_type for row in (RDF_FORMATS if kind == GRAPH else RESULT_FORMATS)],
            )
        client = self._client(self._declared(query.text))
        for name, graphs in self._dataset(query):
            for graph in graphs:
                client.addParameter(name, graph)
        as_csv = kind == BINDINGS and format_ is CSV
        response = self._send(client, JSON if as_csv else _ASKED_AS.get(format_.name, format_))
        chunks = self._chunks(response, query, self._limits.seconds)
        if as_csv:
            chunks = _csv(chunks, self._limits.result_rows)
        elif kind == BINDINGS:
            chunks = _counted(chunks, format_.name, self._limits.result_rows)
        return Answer(kind, format_, chunks, response.close)

    def close(self) -> None:
        """Nothing is held between requests."""

    def _dataset(self, query: Query) -> list[tuple[str, Sequence[str]]]:
        """The protocol's dataset parameters: the query's own, or ours where neither it nor its text names one."""
        if query.default_graphs is not None or query.named_graphs is not None:
            none = (f"{self._merged}#none",)  # an empty set of default graphs has to be said with an empty graph
            return [
                ("default-graph-uri", query.default_graphs or none),
                ("named-graph-uri", query.named_graphs or none),
            ]
        if not self._merged or any(querytext.graphs_in(query.text, self._dialect.prefixes)):
            return []  # the endpoint is no release of ours, or the text says it all
        return [("default-graph-uri", [self._merged]), ("named-graph-uri", self._graphs)]

    def _declared(self, text: str) -> str:
        """The text with our base, and those of our prefixes that it uses undeclared, all on its first line."""
        missing = querytext.undeclared(text)
        prefixes = (f"PREFIX {name}: <{iri}> " for name, iri in self._dialect.prefixes.items() if name in missing)
        return f"BASE <{self._dialect.base_iri}> {''.join(prefixes)}{text}"

    def _client(self, text: str) -> SPARQLWrapper:
        client = SPARQLWrapper(self._url, agent="tracktwo")
        client.setMethod(POST)
        client.setOnlyConneg(True)
        client.setTimeout(max(1, round(self._limits.seconds)))
        client.setQuery(text)
        client.queryType = "SELECT"  # it guesses the form, from comments too, and would send an update
        return client

    def _send(self, client: SPARQLWrapper, format_: Format) -> Any:
        client.addCustomHttpHeader("Accept", format_.media_type)
        try:
            response = client.query().response
        except QueryBadFormed as error:
            said = _said(error)
            missing = querytext.undeclared(client.queryString) - {"", "_"} if "prefix" in said.lower() else ()
            raise QueryError(said, prefix=min(missing, default="")) from error
        except (EndPointInternalError, EndPointNotFound, SPARQLWrapperException, HTTPError) as error:
            raise StoreUnavailable(f"The store {self._url} failed: {_said(error)}") from error
        except TimeoutError as error:
            raise past_deadline(self._limits.seconds) from error
        except URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise past_deadline(self._limits.seconds) from error
            raise StoreUnavailable(f"The store {self._url} can't be reached: {error.reason}") from error
        except (HTTPException, OSError) as error:
            raise StoreUnavailable(f"The store {self._url} broke off: {_said(error)}") from error
        answered = response.headers.get_content_type()
        if answered not in (format_.media_type, *format_.aliases):
            response.close()
            raise StoreUnavailable(
                f"The store {self._url} answered {answered} where {format_.media_type} was asked for."
            )
        return response

    def _chunks(self, response: Any, query: Query, left: float) -> Iterator[bytes]:
        """The answer as it comes; the endpoint may be waited for so many seconds more."""
        size = self._limits.result_mb * _MB
        announced = int(response.headers.get("Content-Length") or -1)
        read = 0
        asked = time.monotonic()
        while data := self._read(response):
            left -= time.monotonic() - asked
            read += len(data)
            if read > size:
                raise QueryTooBig(f"The result is over {self._limits.result_mb} MB and was stopped.")
            if left < 0:
                raise past_deadline(self._limits.seconds)
            if query.gone.is_set():
                raise gone_away()
            yield data
            asked = time.monotonic()
        if announced not in (-1, read):
            raise StoreUnavailable(f"The store {self._url} broke off after {read} of {announced} bytes.")

    def _read(self, response: Any) -> bytes:
        """The next bytes of a response."""
        try:
            data: bytes = response.read1(_CHUNK_BYTES) if hasattr(response, "read1") else response.read(_CHUNK_BYTES)
        except TimeoutError as error:
            raise past_deadline(self._limits.seconds) from error
        except (HTTPException, OSError) as error:
            raise StoreUnavailable(f"The store {self._url} broke off: {_said(error)}") from error
        return data

    def _look_up(self, name: str, values: str, graphs: Sequence[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Rows of one of our own queries on some graphs, on all if None, bound by a `VALUES` clause built of terms."""
        text = files("tracktwo.store").joinpath("queries", f"{name}.rq").read_text(encoding="utf-8")
        client = self._client(f"{text}\n{values}")
        for graph in (*self._graphs, self._merged) if graphs is None else graphs:
            client.addParameter("named-graph-uri", graph)
        response = self._send(client, JSON)
        try:
            with readable():
                results = parse_query_results(response, format=QueryResultsFormat.JSON)
                assert isinstance(results, QuerySolutions), "our own look-ups are SELECT queries"
                names = [variable.value for variable in results.variables]
                rows = [{name: self._blank_again(solution[name]) for name in names} for solution in results]
        except TimeoutError as error:
            raise QueryTimeout(f"The store {self._url} took too long for a look-up.") from error
        except (SyntaxError, ValueError, OSError, HTTPException) as error:
            raise StoreUnavailable(
                f"The store {self._url} answered what is no SPARQL result: {_said(error)}"
            ) from error
        finally:
            response.close()
        merged = NamedNode(self._merged) if self._merged and name == "describe" else None
        return (row for row in rows if row.get("graph") != merged or merged is None)

    def _blank_again(self, term: Any) -> NamedNode | BlankNode | Literal:
        if isinstance(term, NamedNode) and term.value.startswith(self._skolem_prefix):
            return BlankNode(term.value.removeprefix(self._skolem_prefix))
        result: NamedNode | BlankNode | Literal = term
        return result


def _counted(chunks: Iterator[bytes], format_: str, limit: int) -> Iterator[bytes]:
    """The chunks as they come, while they hold no more rows than allowed."""
    counted = RowCount(format_)
    for chunk in chunks:
        counted.add(chunk)
        if counted.rows > limit:
            raise _too_many(limit)
        yield chunk


def _too_many(limit: int) -> QueryTooBig:
    return QueryTooBig(f"The result has over {limit} rows and was stopped.")


def _csv(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """CSV made from a SELECT query's answer in JSON."""
    try:
        with readable():
            results = parse_query_results(BufferedReader(ChunkFile(chunks)), format=QueryResultsFormat.JSON)
            assert isinstance(results, QuerySolutions), "only a SELECT query's rows are asked for as CSV"
            yield from as_csv(results, limit)
    except TooManyRows as error:
        raise _too_many(limit) from error
    except (SyntaxError, ValueError) as error:
        raise StoreUnavailable(f"The store answered what is no SPARQL result: {_said(error)}") from error


def _said(error: Exception) -> str:
    """The endpoint's own words, short."""
    return " ".join(str(error).split())[-300:]
