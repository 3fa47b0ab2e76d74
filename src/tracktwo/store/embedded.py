"""The embedded store: Oxigraph, read-only on a release's directory.

Look-ups of our own, whose cost is bounded, run in this process. A client's text never does: the engine can neither be
stopped nor trusted with deep nesting, so queries run in worker processes (`pool`).
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyoxigraph as ox
from pyoxigraph import DefaultGraph, NamedNode, Quad, Triple

from tracktwo.errors import ReleaseError
from tracktwo.namespaces import XSD
from tracktwo.store import MATCHED, Answer, Query
from tracktwo.store.pool import Pool
from tracktwo.store.process import Dialect, PoolLimits
from tracktwo.terms import Node, Term, in_graph


def create(path: Path, quads: Iterable[Quad]) -> None:
    """Write a new store of named graphs and, as the default graph, their merge.

    The merge is materialised because the engine answers the union of all graphs as a bag: a triple in two graphs
    would count twice.
    """
    store = ox.Store(str(path))
    given = list(quads)
    merged = {quad.triple for quad in given}
    store.bulk_extend(given)
    store.bulk_extend(in_graph(triple) for triple in merged)
    store.flush()
    store.optimize()


class EmbeddedStore:
    """Oxigraph on the directory that `create` wrote, with a pool of query workers."""

    functions: Sequence[str] = tuple(
        XSD[name].value
        for name in (
            *("date", "time", "duration", "dayTimeDuration", "yearMonthDuration"),
            *("gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay"),
        )
    )

    def __init__(self, path: Path, dialect: Dialect, limits: PoolLimits) -> None:
        try:
            self._store = ox.Store.read_only(str(path))
        except OSError as error:
            raise ReleaseError(f"the store {path} can't be opened: {error}") from error
        self._pool = Pool(path, dialect, limits)
        self._federated = functools.cache(lambda: Pool(path, dialect, replace(limits, workers=1, sockets=True)))

    def describe(self, subjects: Sequence[Node]) -> list[Quad]:
        """All statements about the subjects, in the named graphs that hold them."""
        return [
            quad
            for subject in subjects
            for quad in self._store.quads_for_pattern(subject, None, None)
            if quad.graph_name != DefaultGraph()
        ]

    def match(self, subject: Node | None, predicate: NamedNode | None, object_: Term | None) -> list[Quad]:
        """Some of the statements with these terms, in the named graphs that hold them."""
        found = self._store.quads_for_pattern(subject, predicate, object_)
        return list(islice((quad for quad in found if quad.graph_name != DefaultGraph()), MATCHED))

    def graph(self, iri: str) -> Iterator[Triple]:
        """The triples of one named graph."""
        return (quad.triple for quad in self._store.quads_for_pattern(None, None, None, NamedNode(iri)))

    def size(self) -> int:
        """Triples in the merged graph."""
        return sum(1 for _ in self._store.quads_for_pattern(None, None, None, DefaultGraph()))

    def answer(self, query: Query) -> Answer:
        """Run a client's query in a worker; one that asks other endpoints in a worker of its own kind."""
        return (self._federated() if query.federated else self._pool).answer(query)

    def close(self) -> None:
        """End the workers."""
        self._pool.close()
        if self._federated.cache_info().currsize:
            self._federated().close()
