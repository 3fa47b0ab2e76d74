"""Who says what a page shows: the named graphs as numbered sources, in the order in which they are met."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tracktwo.view import Source


class Footnotes:
    """The sources of one page. `source` tells of a named graph whom it speaks for."""

    def __init__(self, source: Callable[[str], Source]) -> None:
        self._source = source
        self._numbers: dict[str, int] = {}
        self._used: dict[str, Source] = {}

    def begin(self) -> None:
        """Another part of the page: the numbers stay, what is used is counted anew."""
        self._used = {}

    def of(self, graphs: Iterable[str]) -> tuple[Source, ...]:
        """The sources of a statement, given the graphs that hold it."""
        return tuple(self._note(graph) for graph in sorted(set(graphs)))

    @property
    def used(self) -> tuple[Source, ...]:
        """All that was used since the beginning of the part, by number."""
        return tuple(sorted(self._used.values(), key=lambda source: source.number))

    def _note(self, graph: str) -> Source:
        if graph not in self._used:
            known = self._source(graph)
            number = 0 if known.inferred else self._numbers.setdefault(graph, len(self._numbers) + 1)
            self._used[graph] = replace(known, number=number)
        return self._used[graph]
