"""Stores answer SPARQL. Two kinds behind one small protocol: `embedded` and `remote`."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyoxigraph import NamedNode, Quad, Triple

from tracktwo.formats import Format
from tracktwo.terms import Node, Term

#: Kinds of answers: rows of SELECT, the truth value of ASK, triples of CONSTRUCT and DESCRIBE.
BINDINGS, BOOLEAN, GRAPH = "bindings", "boolean", "graph"

#: How many statements of a pattern `match` gives; `match.rq` says the same.
MATCHED = 1000


@dataclass(frozen=True)
class Query:
    """A client's query: its text, the dataset that the protocol's parameters name, and the formats wanted.

    `default_graphs` and `named_graphs` are None where no parameter names either (SPARQL 1.1 Protocol section 2.1.4).
    `results` serves SELECT and ASK, `graph` CONSTRUCT and DESCRIBE; None means that no such format was acceptable.
    `client` is whom the query counts for; `gone` is set once nobody waits for the answer any more. A `federated` query
    has been seen to ask only endpoints that the publication allows. It `arrived` at a moment of the monotonic clock.
    """

    text: str
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None
    results: Format | None = None
    graph: Format | None = None
    client: str = ""
    federated: bool = False
    gone: threading.Event = field(default_factory=threading.Event, compare=False)
    arrived: float = field(default_factory=time.monotonic, compare=False)


@dataclass
class Answer:
    """A query's answer as it streams: which kind, in which format, and the bytes; close it when done with it.

    `whole` holds all the bytes where the answer was short and soon at its end.
    """

    kind: str
    format: Format
    chunks: Iterator[bytes]
    close: Callable[[], None]
    whole: bytes | None = None

    def read(self) -> bytes:
        """The whole answer at once."""
        try:
            return b"".join(self.chunks)
        finally:
            self.close()


class Store(Protocol):
    """What the product needs of a store. All methods may be called from many threads."""

    functions: Sequence[str]
    """IRIs of functions that queries may call beyond those of SPARQL 1.1."""

    def describe(self, subjects: Sequence[Node]) -> list[Quad]:
        """All statements about the subjects, each in the named graphs that hold it."""

    def match(self, subject: Node | None, predicate: NamedNode | None, object_: Term | None) -> list[Quad]:
        """Statements with these terms, None for any, in each named graph that holds them; at most `MATCHED` of them."""

    def graph(self, iri: str) -> Iterator[Triple]:
        """The triples of one named graph, in no order."""

    def size(self) -> int:
        """How many triples the merge of all graphs holds; walks all of it, so not for each request."""

    def answer(self, query: Query) -> Answer:
        """Run a client's query under the limits; raises a `TracktwoError` that says why where it can't."""

    def close(self) -> None:
        """Let go of processes and files."""
