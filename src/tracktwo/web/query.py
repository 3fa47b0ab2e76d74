"""The SPARQL endpoint: one URL for clients by the protocol, for people a form and a table."""

import io
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from pyoxigraph import Literal, NamedNode, QueryBoolean, QueryResultsFormat, QuerySolutions, parse_query_results
from werkzeug.exceptions import MethodNotAllowed

from tracktwo import description, sparql
from tracktwo.entity import Value
from tracktwo.errors import NotAcceptable, TooLarge, TracktwoError
from tracktwo.formats import DOCUMENT_FORMATS, HTML, JSON, RESULT_FORMATS, TURTLE, negotiate
from tracktwo.store import GRAPH, Answer, Query
from tracktwo.web.downloads import described
from tracktwo.web.respond import STATUS, Representation, respond
from tracktwo.web.site import Site

routes = Blueprint("query", __name__)

_METHODS = ["GET", "POST", "QUERY"]


@routes.route("/sparql", methods=[*_METHODS, "PUT", "DELETE", "PATCH"])
def endpoint() -> Response:
    """A query's answer; without a query, the form for browsers and the service description for machines."""
    if request.method not in (*_METHODS, "HEAD"):
        raise MethodNotAllowed(valid_methods=["GET", "HEAD", "POST", "OPTIONS"])
    site: Site = g.site
    asked = _request()
    page = negotiate(asked.accept, (*RESULT_FORMATS, *DOCUMENT_FORMATS)) is HTML and not request.args.get("format")
    if not sparql.has_query(asked):
        return _introduction(site)
    if request.environ.get("tracktwo.body_over"):
        raise TooLarge(f"The request is over {site.publication.limits.query_bytes} bytes.")
    if page:
        return _page(site, asked)
    query = sparql.read(asked, site.publication.limits.query_bytes)
    return _stream(site, query, site.store.answer(query))


def _request() -> sparql.Request:
    """The request as the protocol sees it."""
    return sparql.Request(
        method="POST" if request.method == "QUERY" else request.method,
        query_string=request.query_string.decode("latin-1"),
        content_type=request.headers.get("Content-Type", ""),
        body=request.get_data(cache=True, parse_form_data=False),
        accept=request.headers.get("Accept"),
        client=request.remote_addr or "",
        **({"gone": request.environ["tracktwo.gone"]} if "tracktwo.gone" in request.environ else {}),
    )


def _introduction(site: Site) -> Response:
    chosen = negotiate(request.headers.get("Accept"), DOCUMENT_FORMATS)
    if chosen is HTML:
        return respond(
            site,
            Representation(
                HTML, lambda: render_template("sparql.html", head=[], text="", examples=site.questions), negotiated=True
            ),
        )
    if chosen is None:
        raise NotAcceptable(
            "None of the formats that you accept is available.", [row.media_type for row in DOCUMENT_FORMATS]
        )
    return described(
        site, "sparql", lambda: description.service(site.publication, site.links, site.release.manifest), chosen
    )


def _stream(site: Site, query: Query, answer: Answer) -> Response:
    """The answer as it comes; a failure on the way breaks the transfer, so that it can't be taken for whole."""
    chunks = iter(answer.chunks)
    first = next(chunks, b"")  # an error before the first byte can still be told properly

    def rest() -> Iterator[bytes]:
        yield first
        yield from chunks

    response = Response(rest(), content_type=answer.format.content_type)
    response.call_on_close(answer.close)
    response.vary.add("Accept")
    if request.method in ("GET", "HEAD"):
        response.headers["Cache-Control"] = "public, max-age=60"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def _page(site: Site, asked: sparql.Request) -> Response:
    """The form with the answer, or the error, below it."""
    text = request.values.get("query", "")
    try:
        query = sparql.read(asked, site.publication.limits.query_bytes)
        answer = site.store.answer(
            Query(query.text, query.default_graphs, query.named_graphs, JSON, TURTLE, query.client, query.gone)
        )
        shown = _shown(site, answer)
    except TracktwoError as error:
        status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        body = render_template("sparql.html", head=[], text=text, error=error, status=status, examples=site.questions)
        response = Response(body, status=status, content_type=HTML.content_type, headers={"Cache-Control": "no-store"})
        response.vary.add("Accept")
        return response
    response = Response(
        render_template("sparql.html", head=[], text=text, examples=site.questions, **shown),
        content_type=HTML.content_type,
    )
    response.vary.add("Accept")
    response.headers["Cache-Control"] = "no-store" if shown.get("cut") else "public, max-age=60"
    if shown.get("cut"):
        response.headers["Tracktwo-Truncated"] = f"rows={site.publication.limits.page_rows}"
    return response


def _shown(site: Site, answer: Answer) -> dict[str, Any]:
    """What the page shows: a truth value, triples as text, or the first rows as a table."""
    limit = site.publication.limits.page_rows
    try:
        if answer.kind == GRAPH:
            text, cut = _lines(answer.chunks, limit)
            return {"graph": text, "cut": cut, "rows_shown": limit}
        results = parse_query_results(io.BufferedReader(_File(answer.chunks)), format=QueryResultsFormat.JSON)
        if isinstance(results, QueryBoolean):
            return {"truth": bool(results)}
        return {**_table(site, results, limit), "rows_shown": limit}
    finally:
        answer.close()


def _lines(chunks: Iterator[bytes], limit: int) -> tuple[str, bool]:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if data.count(b"\n") > limit:
            break
    lines = data.decode(errors="replace").splitlines()
    return "\n".join(lines[:limit]), len(lines) > limit


def _table(site: Site, results: QuerySolutions, limit: int) -> dict[str, Any]:
    names = [variable.value for variable in results.variables]
    rows: list[list[Any]] = []
    cut = False
    for solution in results:
        if len(rows) == limit:
            cut = True
            break
        rows.append([solution[name] for name in names])
    labels = site.catalog.labels({term.value for row in rows for term in row if isinstance(term, NamedNode)})
    return {"names": names, "rows": [[_cell(site, term, labels) for term in row] for row in rows], "cut": cut}


def _cell(site: Site, term: Any, labels: dict[str, dict[str, str]]) -> Value | None:
    if term is None:
        return None
    if isinstance(term, NamedNode):
        known = term.value in labels or site.links.is_ours(term.value)
        return Value(
            "iri",
            site.describer.label(term.value, labels)[0],
            term.value,
            site.describer.url(term.value) if known else "",
        )
    if isinstance(term, Literal):
        return Value("literal", term.value, language=term.language or "")
    return Value("literal", str(term))


class _File(io.RawIOBase):
    """The bytes of an answer as a file to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
