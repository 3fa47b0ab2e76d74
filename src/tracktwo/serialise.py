"""Statements as bytes of one format: sorted, so that equal sets give equal bytes, prefixed and grouped to be read."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from itertools import chain
from tempfile import TemporaryFile
from typing import Any

from pyoxigraph import Quad, Triple, serialize

from tracktwo.formats import JSON_LD, RDF_XML, TRIG, TURTLE, Format
from tracktwo.terms import in_graph, to_bytes
from tracktwo.turtle import write_trig, write_turtle

_CHUNK_BYTES = 1 << 16


def serialised(format_: Format, quads: Sequence[Quad], prefixes: Mapping[str, str], *, pretty: bool = True) -> bytes:
    """Quads in one format, sorted, so that equal sets give equal bytes; formats without graphs get the merge."""
    assert format_.rdf is not None
    if pretty and format_ in _PRETTY:
        return _PRETTY[format_](quads, prefixes).encode()
    statements: list[Any] = _ordered(quads if format_.rdf.supports_datasets else {quad.triple for quad in quads})
    return _readable(format_, to_bytes(statements, format_.rdf, _used(statements, prefixes)))


def document(format_: Format, quads: Sequence[Quad], prefixes: Mapping[str, str]) -> bytes:
    """A document about something. The default graph says it all, since many clients read no other.

    Where a format has named graphs, they tell besides who says what; in JSON-LD they are left out, since there clients
    for triples and for quads share one media type.
    """
    merged = [in_graph(triple) for triple in {quad.triple for quad in quads}]
    return serialised(format_, merged if format_ is JSON_LD else [*merged, *quads], prefixes)


def streamed(
    format_: Format, quads: Callable[[], Iterable[Quad]], prefixes: Mapping[str, str]
) -> Generator[bytes, None, None]:
    """A document that is too large to be held and sorted: statements in the order in which `quads` gives them twice."""
    assert format_.rdf is not None
    merged = (quad.triple for quad in quads())
    statements: Iterable[Quad | Triple] = merged
    if format_.rdf.supports_datasets:
        statements = chain((in_graph(triple) for triple in merged), () if format_ is JSON_LD else quads())
    with TemporaryFile() as file:
        serialize(statements, file, format=format_.rdf, prefixes=dict(prefixes))  # type: ignore[arg-type]  # of either
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield _readable(format_, chunk)


def triples(format_: Format, statements: Iterable[Triple], prefixes: Mapping[str, str]) -> bytes:
    """Triples that stand in no graph."""
    return serialised(format_, [in_graph(triple) for triple in statements], prefixes)


_PRETTY: dict[Format, Callable[[Sequence[Quad], Mapping[str, str]], str]] = {
    TURTLE: lambda quads, prefixes: write_turtle({quad.triple for quad in quads}, prefixes),
    TRIG: write_trig,
}


def _readable(format_: Format, content: bytes) -> bytes:
    """Content with carriage returns as references where XML would read line feeds (XML 1.0 section 2.11)."""
    return content.replace(b"\r", b"&#xD;") if format_ is RDF_XML else content


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
