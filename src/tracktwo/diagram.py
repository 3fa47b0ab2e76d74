"""Where boxes and lines of a diagram stand: a tree from left to right, and a node with its neighbours.

Only geometry, the same for the same input; a template draws it as SVG.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_LETTER = 7.8  # the width of a letter, in the units that the drawing is made in
_LONGEST = 32  # letters of a label
_PADDING, _HEIGHT, _GAP = 10, 26, 8
_BETWEEN = 44  # columns of a tree
_ROW = _HEIGHT + _GAP
_MARGIN = 6


@dataclass(frozen=True)
class Name:
    """What a box is called and where it leads; `outside` marks what is defined elsewhere."""

    text: str
    url: str = ""
    iri: str = ""
    language: str = ""
    outside: bool = False


@dataclass(frozen=True)
class Branch:
    """A node of a tree with what stands below it; `again` marks one that stands elsewhere with all of its own."""

    name: Name
    children: tuple["Branch", ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Box:
    """A box with its text, cut to the letters that fit."""

    name: Name
    x: float
    y: float
    width: float
    text: str
    height: float = _HEIGHT


@dataclass(frozen=True)
class Line:
    """A line as the data of an SVG path, with a text on it where there is one."""

    path: str
    text: str = ""
    name: Name | None = None
    x: float = 0
    y: float = 0


@dataclass(frozen=True)
class Drawing:
    """A diagram: its size, its boxes and its lines."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass
class _Sheet:
    """A tree while it is drawn: the next free row, and the widths of the columns."""

    columns: list[float]
    row: int = 0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def put(self, branch: Branch, level: int) -> Box:
        """Draw a branch below what is drawn already, its node in the middle of its children."""
        below = [self.put(child, level + 1) for child in branch.children]
        if not below:
            middle = float(_MARGIN + self.row * _ROW)
            self.row += 1
        else:
            middle = (below[0].y + below[-1].y) / 2
        left = _MARGIN + sum(self.columns[:level]) + level * _BETWEEN
        box = _box(branch.name, left, middle)
        self.boxes.append(box)
        self.lines += [Line(_curve(box, other)) for other in below]
        return box


def tree(branches: Sequence[Branch]) -> Drawing:
    """A forest, its roots at the left."""
    sheet = _Sheet(_columns(branches))
    for branch in branches:
        sheet.put(branch, 0)
    width = 2 * _MARGIN + sum(sheet.columns) + _BETWEEN * max(0, len(sheet.columns) - 1)
    return Drawing(width, 2 * _MARGIN + sheet.row * _ROW - _GAP, tuple(sheet.boxes), tuple(sheet.lines))


def neighbours(centre: Name, links: Sequence[tuple[Name, Name]]) -> Drawing:
    """A node at the left, at the right what (property, node) it is linked with."""
    middle = _MARGIN + (len(links) - 1) * _ROW / 2
    box = _box(centre, _MARGIN, middle)
    labels = max(_width(_cut(name.text)) for name, _ in links)
    bend = box.x + box.width + 36
    right = bend + labels + 16
    others = [_box(other, right, _MARGIN + number * _ROW) for number, (_, other) in enumerate(links)]
    lines = [
        Line(_elbow(box, other, bend), _cut(name.text), name, bend + 6, other.y + _HEIGHT / 2 - 4)
        for (name, _), other in zip(links, others, strict=True)
    ]
    width = max(other.x + other.width for other in others) + _MARGIN
    return Drawing(width, 2 * _MARGIN + len(links) * _ROW - _GAP, (box, *others), tuple(lines))


def _columns(branches: Sequence[Branch]) -> list[float]:
    """The width of each level: that of its widest box."""
    widths: dict[int, float] = {}
    for level, branch in _levels(branches, 0):
        widths[level] = max(widths.get(level, 0.0), _width(_cut(branch.name.text)) + 2 * _PADDING)
    return [widths[level] for level in sorted(widths)]


def _levels(branches: Sequence[Branch], level: int) -> Iterator[tuple[int, Branch]]:
    for branch in branches:
        yield level, branch
        yield from _levels(branch.children, level + 1)


def _box(name: Name, x: float, y: float) -> Box:
    text = _cut(name.text)
    return Box(name, round(x, 1), round(y, 1), round(_width(text) + 2 * _PADDING, 1), text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _width(text: str) -> float:
    """About how wide a text is: the letters of some scripts take the room of two."""
    return sum(_LETTER * (1.9 if unicodedata.east_asian_width(letter) in "WF" else 1) for letter in text)


def _curve(left: Box, right: Box) -> str:
    x1, y1, x2, y2 = left.x + left.width, left.y + _HEIGHT / 2, right.x, right.y + _HEIGHT / 2
    bend = (x1 + x2) / 2
    return f"M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"


def _elbow(left: Box, right: Box, bend: float) -> str:
    """A line that runs level once it is beside the box it leads to, so that a text can stand on it."""
    x1, y1, y2 = left.x + left.width, left.y + _HEIGHT / 2, right.y + _HEIGHT / 2
    return f"M{x1:g} {y1:g}C{x1 + 22:g} {y1:g} {bend - 22:g} {y2:g} {bend:g} {y2:g}H{right.x - 1:g}"
