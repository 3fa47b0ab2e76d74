"""Answers as pages show them: a truth value, triples as text, or the first rows of a table with labels."""

import io
from collections.abc import Iterator
from typing import Any

from pyoxigraph import Literal, NamedNode, QueryBoolean, QueryResultsFormat, QuerySolutions, parse_query_results

from tracktwo.neighbours import kind_of
from tracktwo.store import GRAPH, Answer
from tracktwo.store.rows import ChunkFile
from tracktwo.view import Value
from tracktwo.web.site import Site


def shown(site: Site, answer: Answer) -> dict[str, Any]:
    """What a template needs: `truth`, `graph`, or `names` and `rows`; `cut` says that there is more than is shown.

    The answer must be in JSON, or in Turtle where it is a graph.
    """
    limit = site.publication.limits.page_rows
    try:
        if answer.kind == GRAPH:
            text, cut = _lines(answer.chunks, limit)
            return {"graph": text, "cut": cut, "rows_shown": limit}
        results = parse_query_results(io.BufferedReader(ChunkFile(answer.chunks)), format=QueryResultsFormat.JSON)
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
    iris = {term.value for row in rows for term in row if isinstance(term, NamedNode)}
    labels, nowhere = site.catalog.labels(iris), site.describer.without_page(iris)
    return {"names": names, "rows": [[_cell(site, term, labels, nowhere) for term in row] for row in rows], "cut": cut}


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
