"""Rows of answers where the engine's own serialisers do not serve: as CSV that quotes, and from a stream of bytes."""

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pyoxigraph import BlankNode, QuerySolutions, Triple

from tracktwo.errors import QueryTooBig

T = TypeVar("T")

_ROWS_AT_ONCE = 200

#: What marks each row as results are written: bytes, what may not follow them, and how many are headings. No literal
#: holds any of it: `<` is a reference in XML, a line feed an escape in TSV, and what follows a quote in JSON tells a
#: variable's name from the end of a string. A row of JSON that binds nothing is not counted.
_ROW_MARKS: dict[str, tuple[Sequence[bytes], Sequence[bytes], int]] = {
    "json": ((b'},{"', b'[{"'), (b"}", b","), 0),
    "xml": ((b"<result>",), (), 0),
    "tsv": ((b"\n",), (), 1),
}
_LONGEST_MARK = 8


class RowCount:
    """Counts the rows of SELECT results in their bytes, as they come; format is a result format's name."""

    def __init__(self, format_: str) -> None:
        self._marks, self._behind, headings = _ROW_MARKS[format_]
        self._tail = b""
        self.rows = -headings

    def add(self, data: bytes) -> None:
        """Look at the next bytes: bytes.count is many times as fast as a regular expression."""
        text = self._tail + data
        old, ahead = len(self._tail), bool(self._behind)  # a mark counts once the byte behind it is there, too
        for mark in self._marks:
            first = max(0, old - len(mark) + 1 - ahead)
            self.rows += text.count(mark, first, len(text) - ahead)
            self.rows -= sum(text.count(mark + byte, first) for byte in self._behind)
        self._tail = text[-_LONGEST_MARK:]


class TooManyRows(Exception):
    """A result has more rows than it may have."""


def at_most(limit: int, rows: Iterable[T]) -> Iterator[T]:
    """The rows as they come; raises `TooManyRows` in place of the first that is over the limit."""
    for number, row in enumerate(rows):
        if number == limit:
            raise TooManyRows
        yield row


def as_csv(results: QuerySolutions, limit: int) -> Iterator[bytes]:
    """Solutions as CSV (SPARQL 1.1 Query Results CSV section 3, RFC 4180); raises `TooManyRows` over the limit.

    The engine writes IRIs without quotes, so that one with a comma would be two fields.
    """
    names = [variable.value for variable in results.variables]
    page = io.StringIO(newline="")
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(names)
    for number, solution in enumerate(at_most(limit, results), start=1):
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


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Reading results; raises `QueryTooBig` for a term that is too long for the engine's parser, which is 16 MB."""
    try:
        yield
    except MemoryError as error:
        raise QueryTooBig(
            "A term of the result is too long to be read.", hint="Ask for less of it, with SUBSTR."
        ) from error


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
