"""Timelines: items as bars over an axis of years, in a lane for each group."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypeVar

from tracktwo.pictures.labels import GAP, Row, clipped, distinct, key, text_width
from tracktwo.view import Value

_DATE = re.compile(r"(-?\d{4,9})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*|Z|[+-]\d\d:\d\d)?", re.ASCII)
#: Places across are percents of any width; labels leave each other room from this one on, that of a telephone.
NARROWEST = 316.0
#: From this width on the longer text of a label is shown; the style sheet switches at the same.
WIDE = 720.0
_LETTERS = {NARROWEST: 11.0, WIDE: 12.5}  # their height there
_BOLD = 1.1  # how much wider letters of that weight are
_MARGIN = 5.0  # percent
_SHORTEST = 0.1  # a bar, in percent: one of no width would not be drawn
_AXIS = 28.0  # the height that the years are written in
_LINE = 22.0  # from one line of a lane to the next
_TICKS = 7
_LABEL = 30
_STRIPS = 30

Span = tuple[float, float]
Dated = tuple[Row, Span]
T = TypeVar("T", Row, Dated)


@dataclass(frozen=True)
class Bar:
    """An item: its bar from left to right, and its label at a `side` of it: `before`, `behind`, or `on` it.

    `wide` is the label where there is more room.
    """

    item: Value
    label: str
    start: str
    end: str
    left: float
    right: float
    side: str
    y: float = 0
    wide: str = ""

    @property
    def box(self) -> Span:
        """From where to where bar and label reach where there is least room, in percent."""
        return self._reach(self.label, NARROWEST)

    @property
    def wide_box(self) -> Span:
        """The same where there is more room."""
        return self._reach(self.wide, WIDE)

    def _reach(self, label: str, width: float) -> Span:
        room = (text_width(label, _LETTERS[width]) + 2 * GAP) / width * 100
        before, behind = room * (self.side == "before"), room * (self.side == "behind")
        return self.left - before, self.right + behind


@dataclass(frozen=True)
class Lane:
    """The bars of one group, on lines on which none lies on another; `label` is its name where there is least room."""

    group: Value | None
    top: float
    height: float
    bars: tuple[Bar, ...]
    label: str = ""


@dataclass(frozen=True)
class Timeline:
    """Lanes below an axis: the years of its ticks and where they are.

    `undated` are, by group, the items without a place there; `shown` of `total` rows are drawn.
    """

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[int, float], ...]
    undated: tuple[tuple[Value | None, tuple[Value, ...]], ...]
    height: float
    shown: int
    total: int
    kind: str = "timeline"


@dataclass(frozen=True)
class Strip:
    """A group on one line: its name beside the bars, at `x` on a `side` of it, and these from left to right."""

    group: Value | None
    label: str
    wide: str
    x: float
    side: str
    y: float
    bars: tuple[Span, ...]


@dataclass(frozen=True)
class Overview:
    """A timeline in small: each lane on one line, its bars without names."""

    strips: tuple[Strip, ...]
    ticks: tuple[tuple[int, float], ...]
    height: float
    kind: str = "timeline"


def timeline(rows: Sequence[Row], total: int) -> Timeline:
    """The timeline of `item`s from `start` to `end`, a lane for each `group`; the groups' order is the rows'."""
    dated: list[Dated] = []
    undated: list[Row] = []
    for row in distinct(row for row in rows if "item" in row):
        if span := _span(row):
            dated.append((row, span))
        else:
            undated.append(row)
    ticks, place = _axis([span for _, span in dated])
    lanes, top = [], _AXIS
    for group, members in _grouped(dated, lambda member: member[0]):
        lanes.append(_lane(group, members, place, top))
        top += lanes[-1].height
    nowhere = tuple((group, tuple(row["item"] for row in some)) for group, some in _grouped(undated, lambda row: row))
    return Timeline(tuple(lanes), ticks, nowhere, top + _AXIS, len(rows), total)


def overview(whole: Timeline) -> Overview:
    """The first lanes of a timeline in small."""
    lanes = whole.lanes[:_STRIPS]
    strips = tuple(_strip(lane, _AXIS + number * _LINE) for number, lane in enumerate(lanes))
    return Overview(strips, whole.ticks, 2 * _AXIS + len(strips) * _LINE)


def _strip(lane: Lane, y: float) -> Strip:
    """A lane on one line, with its name where most of that is free."""
    bars = tuple(sorted({(bar.left, bar.right) for bar in lane.bars}))
    starts = [left for left, _ in bars]
    ends = list(accumulate((right for _, right in bars), max))
    rooms = [(starts[0], starts[0], "before")]
    rooms += [(start - end, end, "behind") for end, start in zip(ends, [*starts[1:], 100.0], strict=True)]
    room, x, side = max(rooms)
    name = lane.group.text if lane.group else ""
    label, wide = (clipped(name, _letters(room, width)) for width in (NARROWEST, WIDE))
    return Strip(lane.group, label, wide, x, side, y, bars)


def period(lexical: str) -> Span | None:
    """From when to when a year, month, day or moment of XML Schema lasts, in years; nothing for what is none."""
    found = _DATE.fullmatch(lexical)
    if not found or not 1 <= int(found[2] or 1) <= 12 or not 1 <= int(found[3] or 1) <= 31:
        return None
    length = 1 / 372 if found[3] else 1 / 12 if found[2] else 1
    start = int(found[1]) + (int(found[2] or 1) - 1) / 12 + (int(found[3] or 1) - 1) / 372
    return start, start + length


def _span(row: Row) -> Span | None:
    """From when to when an item lasts: without an end as long as its start lasts, without a start as its end."""
    periods = [found for name in ("start", "end") if name in row and (found := period(row[name].text))]
    return (periods[0][0], max(end for _, end in periods)) if periods else None


def _axis(spans: Sequence[Span]) -> tuple[tuple[tuple[int, float], ...], Callable[[float], float]]:
    """The ticks of an axis that holds all spans, and what gives the place of a time on it."""
    earliest = math.floor(min((start for start, _ in spans), default=0))
    latest = max(math.ceil(max((end for _, end in spans), default=1) - 1e-9), earliest + 1)
    steps = (step * int(10**power) for power in range(10) for step in (1, 2, 5))
    step: int = next(step for step in steps if (latest - earliest) / step < _TICKS)
    unit = (100 - 2 * _MARGIN) / (latest - earliest)

    def place(time: float) -> float:
        return round(_MARGIN + (time - earliest) * unit, 2)

    return tuple((year, place(year)) for year in range(-(-earliest // step) * step, latest + 1, step)), place


def _grouped(members: Sequence[T], row_of: Callable[[T], Row]) -> list[tuple[Value | None, list[T]]]:
    """The members of each group."""
    found: dict[str, tuple[Value | None, list[T]]] = {}
    for member in members:
        group = row_of(member).get("group")
        found.setdefault(key(group) if group else "", (group, []))[1].append(member)
    return list(found.values())


def _lane(group: Value | None, members: Sequence[Dated], place: Callable[[float], float], top: float) -> Lane:
    """Bars from the earliest on, each on the first line that has room for it and its label."""
    first = top + (_LINE if group else GAP)
    ends: list[float] = []
    bars = []
    for row, span in sorted(members, key=lambda member: member[1]):
        bar = _bar(row, place(span[0]), place(span[1]))
        left, right = bar.box
        line = next((number for number, end in enumerate(ends) if end < left), len(ends))
        ends[line : line + 1] = [right]
        bars.append(replace(bar, y=first + line * _LINE))
    label = clipped(group.text, _letters(100 / _BOLD, NARROWEST)) if group else ""
    return Lane(group, top, first - top + len(ends) * _LINE + 2 * GAP, tuple(_widened(bars)), label)


def _widened(bars: Sequence[Bar]) -> Iterator[Bar]:
    """The bars of a lane, line by line, with the labels that they have room for where there is more.

    What is free between two labels is shared by both.
    """
    lines: dict[float, list[Bar]] = {}
    for bar in bars:
        lines.setdefault(bar.y, []).append(bar)
    for line in lines.values():
        for before, bar, behind in zip((None, *line[:-1]), line, (*line[1:], None), strict=True):
            if bar.side == "on":
                room = bar.right - bar.left
            elif bar.side == "before":
                room = _share(bar.left - bar.box[0], bar.left - (before.box[1] if before else 0), before, "behind")
            else:
                room = _share(bar.box[1] - bar.right, (behind.box[0] if behind else 100) - bar.right, behind, "before")
            yield replace(bar, wide=clipped(bar.item.text, _letters(room, WIDE)))


def _share(own: float, free: float, other: Bar | None, side: str) -> float:
    """A label's part of what is free up to the next bar, whose label is in it too if it stands at that side."""
    return own + (free - own) / 2 if other and other.side == side else free


def _bar(row: Row, left: float, right: float) -> Bar:
    """A bar with its label on the side where there is more room, or on it where that is too little; clipped to that."""
    right = max(right, round(left + _SHORTEST, 2))
    rooms = {"behind": 100 - right, "before": left, "on": right - left}
    side = max("behind", "before", key=rooms.__getitem__)
    if _letters(rooms[side], NARROWEST) < _LABEL and rooms["on"] > rooms[side]:
        side = "on"
    label = clipped(row["item"].text, min(_LABEL, _letters(rooms[side], NARROWEST)))
    start, end = (row[name].text if name in row else "" for name in ("start", "end"))
    return Bar(row["item"], label, start, end, left, right, side)


def _letters(percent: float, width: float) -> int:
    """How many letters a room has place for in a picture that is so wide."""
    return int((percent / 100 * width - 2 * GAP) / text_width("x", _LETTERS[width]))
