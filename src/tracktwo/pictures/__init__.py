"""Pictures of a query's rows: from rows to the positions, sizes and links that a template prints.

The names of a query's columns say what is drawn, `KINDS` which ones a picture takes. The same rows give the same
picture; what would make one endless is left out, and the picture says so.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracktwo.pictures.columns import Columns, columns
from tracktwo.pictures.labels import Row
from tracktwo.pictures.network import Network, network
from tracktwo.pictures.timeline import Overview, Timeline, overview, timeline
from tracktwo.pictures.tree import Tree, tree
from tracktwo.view import Value

__all__ = ["KINDS", "Kind", "Overview", "Picture", "drawn", "missing", "overview"]

Picture = Timeline | Network | Tree | Columns


@dataclass(frozen=True)
class Kind:
    """A kind of picture: the columns it needs, those it takes besides, the most rows that it draws, and how."""

    needed: tuple[str, ...]
    others: tuple[str, ...]
    most: int
    draw: Callable[[Sequence[Row], int], Picture]


#: Every kind of picture, by the name that the `picture` line of a saved query has for it.
KINDS: dict[str, Kind] = {
    "timeline": Kind(("item", "start"), ("end", "group"), 400, timeline),
    "network": Kind(("one", "other"), ("weight",), 5000, network),
    "tree": Kind(("child", "parent"), (), 1000, tree),
    "columns": Kind(("column", "order", "item"), (), 1000, columns),
}


def missing(kind: str, names: Iterable[str]) -> list[str]:
    """The columns that a kind of picture needs and a query with these does not give."""
    given = set(names)
    return [name for name in KINDS[kind].needed if name not in given]


def drawn(kind: str, names: Sequence[str], rows: Sequence[Sequence[Value | None]]) -> Picture:
    """The picture of a query's rows. No needed column may be `missing`; a row may lack a value of any."""
    found = [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in rows[: KINDS[kind].most]
    ]
    return KINDS[kind].draw(found, len(rows))
