"""Rows of answers where the engine's own serialisers do not serve: as CSV that quotes, and from a stream of bytes."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from pyoxigraph import BlankNode, QuerySolutions, Triple

_ROWS_AT_ONCE = 200


def as_csv(results: QuerySolutions) -> Iterator[bytes]:
    """Solutions as CSV (SPARQL 1.1 Query Results CSV section 3, RFC 4180).

    The engine writes IRIs without quotes, so that one with a comma would be two fields.
    """
    names = [variable.value for variable in results.variables]
    page = io.StringIO(newline="")
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(names)
    for number, solution in enumerate(results, start=1):
        writer.writerow([_text(term) for term in solution])
        if number % _ROWS_AT_ONCE == 0:
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
    yield page.getvalue().encode()


def _text(term: Any) -> str:
    """A term as CSV has it: IRIs and literals bare, blank nodes with `_:`, nothing for what is unbound."""
    if term is None:
        return ""
    return str(term) if isinstance(term, (BlankNode, Triple)) else str(term.value)


class ChunkFile(io.RawIOBase):
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
