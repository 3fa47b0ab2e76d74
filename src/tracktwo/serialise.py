"""Statements as bytes of one format: sorted, so that equal sets give equal bytes, prefixed and grouped to be read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pyoxigraph import Quad, Triple

from tracktwo.formats import JSON_LD, RDF_XML, TRIG, TURTLE, Format
from tracktwo.terms import in_graph, to_bytes
from tracktwo.turtle import write_trig, write_turtle


def serialised(format_: Format, quads: Sequence[Quad], prefixes: Mapping[str, str], *, pretty: bool = True) -> bytes:
    """Quads in one format, sorted, so that equal sets give equal bytes; formats without graphs get the merge."""
    assert format_.rdf is not None
    if pretty and format_ in _PRETTY:
        return _PRETTY[format_](quads, prefixes).encode()
    statements: list[Any] = _ordered(quads if format_.rdf.supports_datasets else {quad.triple for quad in quads})
    content = to_bytes(statements, format_.rdf, _used(statements, prefixes))
    return (
        content.replace(b"\r", b"&#xD;") if format_ is RDF_XML else content
    )  # XML 1.0 section 2.11 would read a line feed


def document(format_: Format, quads: Sequence[Quad], prefixes: Mapping[str, str]) -> bytes:
    """A document about something. The default graph says it all, since many clients read no other.

    Where a format has named graphs, they tell besides who says what; in JSON-LD they are left out, since there clients
    for triples and for quads share one media type.
    """
    merged = [in_graph(triple) for triple in {quad.triple for quad in quads}]
    return serialised(format_, merged if format_ is JSON_LD else [*merged, *quads], prefixes)


def triples(format_: Format, statements: Iterable[Triple], prefixes: Mapping[str, str]) -> bytes:
    """Triples that stand in no graph."""
    return serialised(format_, [in_graph(triple) for triple in statements], prefixes)


_PRETTY: dict[Format, Callable[[Sequence[Quad], Mapping[str, str]], str]] = {
    TURTLE: lambda quads, prefixes: write_turtle({quad.triple for quad in quads}, prefixes),
    TRIG: write_trig,
}


def _ordered(statements: Iterable[Quad | Triple]) -> list[Quad | Triple]:
    return sorted(
        set(statements),
        key=lambda item: (
            str(getattr(item, "graph_name", "")),
            str(item.subject),
            str(item.predicate),
            str(item.object),
        ),
    )


def _used(statements: Iterable[Quad | Triple], prefixes: Mapping[str, str]) -> dict[str, str]:
    """Only the prefixes whose namespace occurs."""
    text = {part for item in statements for part in (str(item.subject)[1:-1], item.predicate.value, str(item.object))}
    joined = "\n".join(sorted(text))
    return {prefix: namespace for prefix, namespace in prefixes.items() if namespace in joined}
