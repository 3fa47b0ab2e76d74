"""Columns side by side: what stands on the same level in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracktwo.pictures.labels import Entry, Row, entry, key
from tracktwo.view import Value

_MOST = 30
_PLACES = ("column", "order", "item")


@dataclass(frozen=True)
class Level:
    """What has the same order, by column; the last level may be that of what has none."""

    order: Value | None
    cells: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True)
class Columns:
    """The heads of the columns and the levels across them; `shown` of `total` rows are drawn."""

    heads: tuple[Value, ...]
    levels: tuple[Level, ...]
    shown: int
    total: int
    kind: str = "columns"


def columns(rows: Sequence[Row], total: int) -> Columns:
    """The `item`s of each `column`, level by level; the order of levels and columns is the rows'.

    Further columns of the rows are an item's notes.
    """
    placed = [row for row in rows if "column" in row and "item" in row]
    heads = dict(list({key(row["column"]): row["column"] for row in placed}.items())[:_MOST])
    kept = [row for row in placed if key(row["column"]) in heads]
    orders = {_order(row): row.get("order") for row in kept}
    cells: dict[tuple[str, str], list[Entry]] = {}
    for row in kept:
        cells.setdefault((_order(row), key(row["column"])), []).append(entry(row, "item", _PLACES))
    levels = [
        _level(orders[order], order, heads, cells) for order in sorted(orders, key=lambda order: orders[order] is None)
    ]
    return Columns(tuple(heads.values()), tuple(levels), len(rows) - len(placed) + len(kept), total)


def _order(row: Row) -> str:
    return "=" + key(row["order"]) if "order" in row else ""


def _level(
    value: Value | None, order: str, heads: Mapping[str, Value], cells: Mapping[tuple[str, str], Sequence[Entry]]
) -> Level:
    return Level(value, tuple(tuple(cells.get((order, head), ())) for head in heads))
