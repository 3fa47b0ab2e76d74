"""Answers as pages show them: a truth value, triples as text, or the first rows of a table with labels."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyoxigraph import Literal, NamedNode, QueryBoolean, QueryResultsFormat, QuerySolutions, parse_query_results

from tracktwo import querytext
from tracktwo.drawing import kind_of
from tracktwo.store import GRAPH, Answer, Query
from tracktwo.store.rows import ChunkFile, readable
from tracktwo.view import Value
from tracktwo.web.respond import Body, Cut
from tracktwo.web.site import Site

_SHOWN_BYTES = 1 << 20  # of what an answer holds; with its tags a page is some times as large


def is_lasting(query: Query) -> bool:
    """Does a release answer the query with the same bytes each time?"""
    return not (query.federated or querytext.is_volatile(query.text))


def page(shown: Mapping[str, Any], render: Callable[[Mapping[str, Any]], str]) -> Body:
    """The page of what is `shown` of an answer, made by `render`; it says whether that is only the beginning."""
    text = render(shown)
    return Cut(text, f"rows={shown['rows_shown']}") if shown.get("cut") else text


def shown(site: Site, answer: Answer) -> dict[str, Any]:
    """What a template needs: `truth`, `graph`, or `names` and `rows`; `cut` says that there is more than is shown.

    The answer must be in JSON, or in Turtle where it is a graph. Shown are `rows_shown` rows or lines: no more than the
    publication's limit, and no more than fit into a page's bytes. Raises `QueryTooBig` where a term can't be read.
    """
    limit = site.publication.limits.page_rows
    try:
        if answer.kind == GRAPH:
            return _lines(answer.chunks, limit)
        with readable():
            results = parse_query_results(io.BufferedReader(ChunkFile(answer.chunks)), format=QueryResultsFormat.JSON)
            if isinstance(results, QueryBoolean):
                return {"truth": bool(results)}
            return _table(site, results, limit)
    finally:
        answer.close()


def _lines(chunks: Iterator[bytes], limit: int) -> dict[str, Any]:
    """The first lines; one that does not fit any more is left out."""
    parts: list[bytes] = []
    size = ends = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        ends += chunk.count(b"\n")
        if ends > limit or size > _SHOWN_BYTES:
            break
    data = b"".join(parts)
    fitting = data if size <= _SHOWN_BYTES else data[: data.rfind(b"\n", 0, _SHOWN_BYTES) + 1]
    lines = fitting.decode(errors="replace").splitlines()
    shown = lines[:limit]
    cut = len(fitting) < size or len(shown) < len(lines)
    return {"graph": "\n".join(shown), "cut": cut, "rows_shown": len(shown)}


def _table(site: Site, results: QuerySolutions, limit: int) -> dict[str, Any]:
    names = [variable.value for variable in results.variables]
    rows: list[list[Any]] = []
    cut, size = False, 0
    for solution in results:
        row = [solution[name] for name in names]
        size += sum(len(str(term)) for term in row if term is not None)
        if len(rows) == limit or size > _SHOWN_BYTES:
            cut = True
            break
        rows.append(row)
    iris = {term.value for row in rows for term in row if isinstance(term, NamedNode)}
    labels, nowhere = site.catalog.labels(iris), site.describer.without_page(iris)
    cells = [[_cell(site, term, labels, nowhere) for term in row] for row in rows]
    return {"names": names, "rows": cells, "cut": cut, "rows_shown": len(rows)}


def _cell(site: Site, term: Any, labels: dict[str, dict[str, str]], nowhere: set[str]) -> Value | None:
    if term is None:
        return None
    if isinstance(term, NamedNode):
        known = term.value not in nowhere and (term.value in labels or site.links.is_ours(term.value))
        return Value(
            "iri",
            site.describer.label(term.value, labels)[0],
            term.value,
            site.describer.url(term.value) if known else "",
        )
    if isinstance(term, Literal):
        return Value(kind_of(term), term.value, language=term.language or "")
    return Value("literal", str(term))
